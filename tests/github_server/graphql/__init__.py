"""GitHub's GraphQL API, as far as we use it: `updateRefs`, the compare-and-swap that REST lacks."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLError, GraphQLSchema, build_schema, graphql_sync

from tests.github_server.git import GitError
from tests.github_server.messages import Json, Refusal, Request, Response
from tests.github_server.permissions import authenticate, require
from tests.github_server.pull_refs import refresh
from tests.github_server.shapes import node_id
from tests.github_server.state import Repository, State, Token

PATHS = {"/graphql", "/api/graphql"}
ZEROS = "0" * 40


@cache
def schema() -> GraphQLSchema:
    return build_schema((Path(__file__).parent / "schema.graphql").read_text("utf-8"))


def serve(state: State, request: Request) -> Response | None:
    """The answer; None for another path. Errors have status 200, as there."""
    if request.method != "POST" or request.path not in PATHS:
        return None
    try:
        token = authenticate(state, request.headers)
    except Refusal as refusal:
        return refusal.response()
    if token is None:
        return Refusal(401, "This endpoint requires you to be authenticated.").response()
    with state.lock:
        asked = request.json()
        done = graphql_sync(
            schema(),
            asked["query"],
            root_value=Mutations(state, token),
            variable_values=asked.get("variables"),
        )
    if done.data is None and done.errors and done.errors[0].path is None:
        state.violations.append(f"GraphQL: {done.errors[0]}")
    return Response(200, dict(done.formatted))


class Mutations:
    """The root of the schema: a method for each mutation."""

    def __init__(self, state: State, token: Token) -> None:
        self.state = state
        self.token = token

    def updateRefs(self, _: Any, input: Json) -> Json:  # noqa: A002, N802 - the schema's names
        repository = self.repository(input["repositoryId"])
        try:
            require(self.token, repository, "contents=write", "write")
        except Refusal as refusal:
            raise GraphQLError(refusal.message, extensions={"type": "FORBIDDEN"}) from refusal
        for update in input["refUpdates"]:
            swap(repository, update)
        refresh(self.state)
        return {"clientMutationId": input.get("clientMutationId")}

    def repository(self, identifier: str) -> Repository:
        for repository in self.state.repositories.values():
            if node_id("Repository", repository.id) == identifier:
                return repository
        raise GraphQLError(f"Could not resolve to a node with the global id of '{identifier}'")


def swap(repository: Repository, update: Json) -> None:
    """One ref is enough for us: several are not done all or none here."""
    git, name, new = repository.git, update["name"], update["afterOid"]
    old, now = update.get("beforeOid"), git.ref(name)
    if old is not None and old != (now or ZEROS):
        raise GraphQLError(f"{name} is at {now or ZEROS} but expected {old}")
    if now is not None and not update.get("force") and not git.is_ancestor(now, new):
        raise GraphQLError("Update is not a fast forward")
    try:
        git.update(name, new, now or ZEROS)
    except GitError as error:
        raise GraphQLError(str(error)) from error

"""Holds requests that arrive and answers that leave against GitHub's own OpenAPI description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from tests.github_server.messages import Json, Refusal, Request, Response

DESCRIPTION = Path(__file__).parent / "openapi" / "github.json"
# GitHub answers 422 to these; anything else that does not fit is a mistake of the client.
LIMITS = {"maxLength", "maxItems", "maxProperties"}
CHECKER = FormatChecker(formats=())


def is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def is_uri(value: object) -> bool:
    return not isinstance(value, str) or value == "" or "://" in value


CHECKER.checks("date-time", raises=ValueError)(is_date_time)
CHECKER.checks("uri", raises=ValueError)(is_uri)


class Violation(Exception):  # noqa: N818
    """What was sent does not fit GitHub's description."""


@cache
def description() -> Json:
    loaded: Json = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return loaded


@cache
def validator(pointer: str) -> Draft202012Validator:
    schema: Any = description()
    for part in pointer.split("\n"):
        schema = schema[part]
    whole = {"schemas": description()["schemas"], **schema}
    return Draft202012Validator(whole, format_checker=CHECKER)


def errors(pointer: str, content: Any) -> list[ValidationError]:
    return [leaf for error in validator(pointer).iter_errors(content) for leaf in leaves(error)]


def leaves(error: ValidationError) -> Iterator[ValidationError]:
    """The deepest reasons: of `anyOf`, those of the branch that came nearest."""
    if not error.context:
        yield error
        return
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    nearest = min(
        branches.values(), key=lambda found: (-max(len(e.path) for e in found), len(found))
    )
    for inner in nearest:
        yield from leaves(inner)


def check_request(operation: str, request: Request) -> Any:
    """The body, decoded. Raises Violation, or the 422 that GitHub answers over a limit."""
    described = description()["operations"][operation]
    check_parameters(operation, described, request)
    if described["body"] is None:
        if request.body:
            raise Violation(f"{operation} takes no body")
        return None
    try:
        body = request.json()
    except ValueError as error:
        raise Refusal(400, "Problems parsing JSON") from error
    if body is None:
        if described["body"]["required"]:
            raise Violation(f"{operation} needs a body")
        return {}
    check_body(operation, described["body"]["schema"], body)
    return body


def check_parameters(operation: str, described: Json, request: Request) -> None:
    known = {item["name"]: item for item in described["parameters"] if item["in"] == "query"}
    for name, text in request.query.items():
        if name not in known:
            raise Violation(f"{operation} has no query parameter {name!r}")
        kinds = known[name]["schema"].get("type")
        if kinds == "integer" and not text.lstrip("-").isdigit():
            raise Violation(f"{operation}: {name}={text!r} is not an integer")
        allowed = known[name]["schema"].get("enum")
        if allowed and text not in allowed:
            raise Violation(f"{operation}: {name}={text!r} is not one of {allowed}")
    for name, item in known.items():
        if item["required"] and name not in request.query:
            raise Violation(f"{operation} needs the query parameter {name!r}")


def check_body(operation: str, schema: Json, body: Any) -> None:
    found = errors(f"operations\n{operation}\nbody\nschema", body)
    serious = [error for error in found if error.validator not in LIMITS]
    if serious:
        raise Violation(f"{operation}: the body does not fit: {explain(serious)}")
    if found:
        raise over_the_limit(found[0])
    if unknown := strangers(schema, body):
        raise Violation(f"{operation} has no body parameter {', '.join(unknown)}")


def over_the_limit(error: ValidationError) -> Refusal:
    where = ".".join(map(str, error.path))
    more = f"{where} exceeds a maximum length of {error.validator_value}"
    return Refusal(422, f"Invalid request.\n\n{more}.", errors=[more])


def strangers(schema: Json, content: Any, where: str = "") -> list[str]:
    """Names that the description does not know. GitHub ignores them in silence: a mistake.

    Not looked for below `anyOf` and `allOf`, where each branch knows some of them.
    """
    if "$ref" in schema:
        schema = description()["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(content, list):
        items = schema.get("items", {})
        return [name for item in content for name in strangers(items, item, f"{where}[]")]
    known = schema.get("properties")
    if not isinstance(content, dict) or known is None:
        return []
    open_ended = bool(schema.get("additionalProperties"))
    found = [] if open_ended else [f"{where}.{name}" for name in sorted(set(content) - set(known))]
    for name in set(content) & set(known):
        found += strangers(known[name], content[name], f"{where}.{name}")
    return found


def check_response(operation: str, response: Response) -> None:
    """Errors of 4xx share one shape, and the description lists only some of them."""
    described = description()["operations"][operation]["responses"]
    status = str(response.status)
    if status not in described:
        if response.status < 400:
            raise Violation(f"{operation} never answers {status}")
        return
    schema = described[status]
    if schema is None or response.body is not None:
        return
    if found := errors(f"operations\n{operation}\nresponses\n{status}", response.content):
        raise Violation(f"{operation}: our answer {status} does not fit: {explain(found)}")
    if response.status < 400 and (unknown := strangers(schema, response.content)):
        raise Violation(f"{operation}: our answer {status} has unknown {', '.join(unknown)}")


def check_webhook(name: str, payload: Json) -> None:
    if found := errors(f"webhooks\n{name}", payload):
        raise Violation(f"the event {name} does not fit: {explain(found)}")


def explain(found: list[ValidationError]) -> str:
    return "; ".join(f"{error.json_path}: {error.message[:200]}" for error in found[:5])

"""A branch of pictures, so that a comment can show plots: signed-in readers of a private repository
see what lies on a branch of it.

It is one commit without a parent, replaced by compare-and-swap (GraphQL's `updateRefs`; REST can
only force), so what is pruned is gone. A picture's path is its SHA-256: a link by the branch's name
keeps working, equal pictures are one file, and writers at the same time only add to each other.
`index.json` holds when each was last shown. The user's checkout is not touched.
https://docs.github.com/en/rest/git
https://docs.github.com/en/graphql/reference/mutations#updaterefs
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from mlops_ci.errors import ServiceError
from mlops_ci.github.client import GRAPHQL, Client
from mlops_ci.github.patience import Trouble

BRANCH = "mlops-ci-plots"
REF = f"refs/heads/{BRANCH}"
INDEX = "index.json"
NONE = "0" * 40
MOST_DAYS = 90  # since it was last shown
MOST_BYTES = 100 * 1024 * 1024  # of all pictures
FRESH_DAYS = 7  # so long the index is not rewritten for pictures that are there
ROUNDS = 12
PAUSE = 0.3  # seconds before another try, at least
UPDATE = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }"


class Index(Struct, frozen=True):
    """Path → the day when it was last shown."""

    shown: dict[str, date] = {}


@dataclass(frozen=True)
class Shelf:
    """What the branch holds. `files`: path → (sha of the blob, bytes)."""

    tip: str = NONE
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    shown: Mapping[str, date] = field(default_factory=dict)


@dataclass
class Pictures:
    """`web` is GITHUB_SERVER_URL. Raises Trouble and ServiceError as Client does."""

    client: Client
    repository: str
    web: str
    today: date
    uploaded: dict[str, str] = field(default_factory=dict)
    node: str = ""  # the repository's id in GraphQL

    def publish(self, contents: Sequence[bytes]) -> list[str]:
        """Addresses of PNG pictures, in the order given. Nothing is written when all are there."""
        wanted = {path_of(content): content for content in contents}
        for attempt in range(ROUNDS):
            shelf = self._read()
            if self._holds(shelf, wanted) or self._replaced(shelf, wanted):
                return [self._address(path_of(content)) for content in contents]
            patience = self.client.patience  # another writer was first, or the answer was lost
            patience.pause(PAUSE * (attempt + 1) * (0.5 + patience.jitter()))
        raise ServiceError(
            f"the branch {BRANCH} was changed by others each of {ROUNDS} times",
            where=self.repository,
            fix="run the job again; the report is complete without the pictures",
        )

    def _holds(self, shelf: Shelf, wanted: Iterable[str]) -> bool:
        fresh = self.today - timedelta(days=FRESH_DAYS)
        return all(path in shelf.files and shelf.shown[path] >= fresh for path in wanted)

    def _replaced(self, shelf: Shelf, wanted: Mapping[str, bytes]) -> bool:
        commit = self._commit(shelf, wanted)
        self._swap(shelf.tip, commit)
        return self._tip() == commit

    def _address(self, path: str) -> str:
        return f"{self.web.rstrip('/')}/{self.repository}/blob/{BRANCH}/{path}?raw=true"

    @property
    def _git(self) -> str:
        return f"/repos/{self.repository}/git"

    def _tip(self) -> str:
        try:
            return str(self.client.get(f"{self._git}/ref/heads/{BRANCH}")["object"]["sha"])
        except Trouble as trouble:
            if trouble.kind == "missing" or trouble.status == 409:  # an empty repository
                return NONE
            raise

    def _read(self) -> Shelf:
        tip = self._tip()
        if tip == NONE:
            return Shelf()
        found = self.client.get(f"{self._git}/trees/{tip}", recursive="1")
        blobs = [item for item in found.get("tree", ()) if item.get("type") == "blob"]
        files = {str(item["path"]): (str(item["sha"]), int(item["size"])) for item in blobs}
        index = files.pop(INDEX, None)
        known = self._index(index[0]).shown if index is not None else {}
        return Shelf(tip, files, {path: known.get(path, self.today) for path in files})

    def _index(self, sha: str) -> Index:
        """Anybody who may push can have written it: what cannot be read counts as new."""
        found = self.client.get(f"{self._git}/blobs/{sha}")
        try:
            return msgspec.json.decode(base64.b64decode(found["content"]), type=Index)
        except (ValueError, msgspec.MsgspecError):
            return Index()

    def _commit(self, shelf: Shelf, wanted: Mapping[str, bytes]) -> str:
        sizes = {path: size for path, (_, size) in shelf.files.items()}
        sizes |= {path: len(content) for path, content in wanted.items()}
        shown = {**shelf.shown, **dict.fromkeys(wanted, self.today)}
        kept = keep(sizes, shown, wanted, self.today)
        shas = {path: sha for path, (sha, _) in shelf.files.items()}
        for path, content in wanted.items():
            shas[path] = shas.get(path) or self._upload(path, content)
        index = msgspec.json.encode(Index({path: shown[path] for path in kept}))
        tree = [_entry(path, sha=shas[path]) for path in kept]
        tree.append(_entry(INDEX, content=index.decode()))
        made = self.client.write("POST", f"{self._git}/trees", {"tree": tree})
        body = {
            "message": "Pictures of reports\n\nOne commit, replaced at each write. [skip ci]",
            "tree": made["sha"],
            "parents": [],
        }
        return str(self.client.write("POST", f"{self._git}/commits", body)["sha"])

    def _upload(self, path: str, content: bytes) -> str:
        if path not in self.uploaded:
            body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
            made = self.client.write("POST", f"{self._git}/blobs", body)
            self.uploaded[path] = str(made["sha"])
        return self.uploaded[path]

    def _swap(self, before: str, after: str) -> None:
        """Whether it was done is seen by reading the branch again. Raises Trouble for a refusal
        that is none of a stale `before`."""
        self.node = self.node or str(self.client.get(f"/repos/{self.repository}")["node_id"])
        update = {"name": REF, "beforeOid": before, "afterOid": after, "force": True}
        asked = {"repositoryId": self.node, "refUpdates": [update]}
        try:
            answer = self.client.send(
                "POST", GRAPHQL, {}, {"query": UPDATE, "variables": {"input": asked}}
            )
        except Trouble as trouble:
            if trouble.kind == "unclear":
                return
            raise
        errors: list[dict[str, Any]] = answer.get("errors") or []
        if errors and (refusal := _refusal(errors)) is not None and self._tip() == before:
            raise refusal


def path_of(content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return f"{digest[:2]}/{digest}.png"


def keep(
    sizes: Mapping[str, int], shown: Mapping[str, date], wanted: Mapping[str, bytes], today: date
) -> list[str]:
    """Of all paths those that stay: not older than MOST_DAYS and, the last shown first, no more
    than MOST_BYTES; what is wanted now always. Sorted."""
    oldest = today - timedelta(days=MOST_DAYS)
    order = sorted(sizes, key=lambda path: (path in wanted, shown[path], path), reverse=True)
    kept, total = [], 0
    for path in order:
        total += sizes[path]
        if path in wanted or (shown[path] >= oldest and total <= MOST_BYTES):
            kept.append(path)
    return sorted(kept)


def _entry(path: str, **what: str) -> dict[str, str]:
    return {"path": path, "mode": "100644", "type": "blob", **what}


def _refusal(errors: Sequence[Mapping[str, Any]]) -> Trouble | None:
    said = "; ".join(str(error.get("message")) for error in errors)[:300]
    if any(error.get("type") == "FORBIDDEN" for error in errors):
        return Trouble("denied", said, 403)
    return Trouble("refused", said)

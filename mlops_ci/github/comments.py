"""ONE comment on the pull request, whatever happens: retries, races, duplicates, forgeries.

Ours are the comments by our own login that begin with the marker, on all pages. The one with the
lowest id is kept; every job merges its part into it, looks again after a pause whether all is still
there, and repeats that a bounded number of times. Our own duplicates are deleted once the kept one
holds what they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mlops_ci.errors import ServiceError
from mlops_ci.github.client import PER_PAGE, Client, explained
from mlops_ci.github.identity import Identity, author_of
from mlops_ci.github.parts import MARKER, Origin, Ours, Part, compose, merge, parse
from mlops_ci.github.patience import Trouble

Remembered = Callable[[], int | None]

ROUNDS = 40
PAUSE = 0.4  # seconds before looking again, at least
# The same where other jobs have a part in the comment: GitHub has no conditional write, so the only
# guard against one that read before us and writes after us is to look again once it has written.
COMPANY_PAUSE = 1.5
LONGEST_PAUSE = 8.0
DELETED = "the comment was deleted, so none is written: the report is in the job's summary"
LATER = "a later run has reported already: its comment is left as it is"
FULL = "the comment is full: this job's part is in its summary alone"


@dataclass(frozen=True)
class Posted:
    """`id` is remembered by the checks: it tells a comment that was deleted from one that never
    was. `note` says why nothing was written."""

    url: str | None
    id: int | None
    note: str | None = None


@dataclass
class Sticky:
    """One job's work on the comment of one pull request. `current` asks for the commit that the
    branch is at, which is needed only where a later run speaks of another one than we do."""

    client: Client
    identity: Identity
    repository: str
    number: int
    monotonic: Callable[[], float]
    current: Callable[[], str]
    seen: dict[Origin, Part] = field(default_factory=dict)
    near: bool = False
    made: set[int] = field(default_factory=set)
    slowest: float = 0.0
    rounds: int = 0
    writes: int = 0
    lost: int = 0
    clean: int = 0
    company: bool = False
    spared: int = 0

    def post(self, ours: Ours, remembered: Remembered = lambda: None) -> Posted:
        """`remembered` finds the id of the comment that an earlier run of this pull request wrote.
        Raises AccessError without the permission, ServiceError when GitHub does not answer."""
        try:
            return self._post(ours, remembered)
        except Trouble as trouble:
            raise explained(trouble, "the comment was not posted", self._path) from trouble

    @property
    def _path(self) -> str:
        return f"/repos/{self.repository}/issues/{self.number}/comments"

    def _post(self, ours: Ours, remembered: Remembered) -> Posted:
        while self.rounds < ROUNDS:
            self.rounds += 1
            comments = self._ours()
            if comments:
                done = self._merged(comments, ours)
                if done is not None:
                    return done
            elif ours.quiet:
                return Posted(None, None)
            elif self.writes == 0 and (deleted := self._deleted(remembered())) is not None:
                return Posted(None, deleted, DELETED)
            else:
                self._create(ours)
            self._rest()
        raise ServiceError(
            f"the comment was changed by others each of {ROUNDS} times that ours was added",
            where=self._path,
            fix="run the job again; the report is in the job's summary",
        )

    def _merged(self, comments: list[dict[str, Any]], ours: Ours) -> Posted | None:
        """None: look again."""
        first, *rest = comments
        wanted = self._wanted(comments, ours)
        if (body := compose(wanted)) != _plain(first["body"]):
            self.clean = 0
            self._write(first, ours)
            return None
        self.clean += 1
        self._clear(rest)
        if rest or self.clean < (2 if self.company or self.writes > 1 else 1):
            return None
        url, number = str(first.get("html_url") or "") or None, int(first["id"])
        kept, shown = (
            any(part.origin == ours.origin for part in parts) for parts in (wanted, parse(body))
        )
        return Posted(url, number, None if shown else FULL if kept else LATER)

    def _ours(self) -> list[dict[str, Any]]:
        author = self.identity.find()
        listed = self.client.list(self._path)
        self.near = len(listed) < PER_PAGE  # one request ago, so as good as asking again
        found = [
            comment
            for comment in listed
            if author_of(comment) == author
            and isinstance(comment.get("id"), int)
            and str(comment.get("body")).startswith(MARKER)
        ]
        return sorted(found, key=lambda comment: int(comment["id"]))

    def _wanted(self, comments: Sequence[dict[str, Any]], ours: Ours) -> list[Part]:
        """The union of all that we have ever seen: a part that a slower job has just overwritten
        is put back by whoever saw it. What the kept comment says counts as the last word."""
        for comment in reversed(comments):
            for part in parse(str(comment["body"])):
                self.seen.pop(part.origin, None)
                self.seen[part.origin] = part
        found = list(self.seen.values())
        mine = (ours.origin.scope, ours.origin.models)
        self.company |= any(part.key != mine for part in found)
        return merge(found, replace(ours, current=self.current()) if ours.doubts(found) else ours)

    def _create(self, ours: Ours) -> None:
        body = compose(merge((), ours))

        def done() -> dict[str, Any] | None:
            return next((c for c in self._ours() if _plain(c["body"]) == body), None)

        made = self.client.write("POST", self._path, {"body": body}, done)
        self.made.add(int(made["id"]))
        self.writes += 1
        self.identity.learn_from_comment(made)

    def _write(self, comment: dict[str, Any], ours: Ours) -> None:
        """Read and write close together; an answer that got lost is for the next look to find."""
        path = self._one(int(comment["id"]))
        started = self.monotonic()
        try:
            found = comment if self.near else self.client.get(path)
            body = compose(self._wanted([found], ours))
            if body != _plain(found["body"]):
                self.writes += 1
                self.client.once("PATCH", path, {"body": body})
            self.lost = 0
        except Trouble as trouble:
            if trouble.kind != "missing":  # else it was deleted between two looks
                self.client.patience.after(trouble, self.lost, f"PATCH {path}")
                self.lost += 1
        finally:
            self.slowest = max(self.slowest, self.monotonic() - started)

    def _clear(self, rest: list[dict[str, Any]]) -> None:
        """Delete duplicates: ours at once, those of a job that may have died after a while."""
        self.spared += 1
        for comment in rest:
            number = int(comment["id"])
            if number not in self.made and self.spared <= 3:
                continue
            try:
                self.client.write("DELETE", self._one(number))
            except Trouble as trouble:
                if trouble.kind != "missing":
                    raise

    def _one(self, number: int) -> str:
        return f"/repos/{self.repository}/issues/comments/{number}"

    def _deleted(self, remembered: int | None) -> int | None:
        if remembered is None:
            return None
        try:
            self.client.get(self._one(remembered))
        except Trouble as trouble:
            if trouble.kind == "missing":
                return remembered
            raise
        return None

    def _rest(self) -> None:
        """Longer than others need between reading and writing, and not all for as long."""
        patience = self.client.patience
        pause = COMPANY_PAUSE if self.company else PAUSE
        base = max(pause, 2 * self.slowest) * min(1 + self.rounds / 4, 5)
        patience.sleep(min(base, LONGEST_PAUSE) * (0.75 + patience.jitter()))


def _plain(body: Any) -> str:
    return str(body).replace("\r\n", "\n")

"""Check runs: one to require, one for each model; opened before work begins, closed always.

Names are stable, so that `mlops-ci verdict` can be a required check. `external_id` says which job
of which run a check belongs to: a lost answer is read back by it, the post step finds what the job
left open by it, and it remembers the pull request's comment.
https://docs.github.com/en/rest/checks/runs
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mlops_ci.errors import ServiceError
from mlops_ci.github.client import Client
from mlops_ci.github.identity import Identity
from mlops_ci.github.patience import Trouble
from mlops_ci.github.text import clean, cut

AGGREGATE = "mlops-ci verdict"
PREFIX = "mlops-ci: "
TEXT_BYTES = 65_535  # of `output.summary`
TITLE_CHARACTERS = 200
ANNOTATIONS = 50  # in one request; further requests append
Conclusion = Literal["success", "neutral", "failure", "cancelled"]
SEVERITY: tuple[Conclusion, ...] = ("failure", "cancelled", "neutral", "success")
_EXTERNAL = re.compile(
    r"mlops-ci run=(\d+) attempt=(\d+) job=([0-9a-f]{1,40})(?: comment=(\d+)/(\d+))?"
)


@dataclass(frozen=True)
class Place:
    """Where a comment is: the same commit may be the head of several pull requests."""

    pull: int
    comment: int


@dataclass(frozen=True)
class Job:
    """Which job of which run; `leg` tells the jobs of a matrix apart. `url` is the run's page."""

    run: int
    attempt: int
    leg: str
    url: str | None = None

    def external_id(self, place: Place | None = None) -> str:
        told = f"mlops-ci run={self.run} attempt={self.attempt} job={self.leg}"
        return f"{told} comment={place.pull}/{place.comment}" if place is not None else told


@dataclass(frozen=True)
class Annotation:
    """One remark at a line of a file, counted from 1. `title` is short; both are plain text."""

    path: str
    line: int
    title: str
    message: str
    level: Literal["failure", "warning", "notice"] = "failure"

    def body(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "start_line": self.line,
            "end_line": self.line,
            "annotation_level": self.level,
            "title": _line(self.title, 255),
            "message": cut(clean(self.message), 8_000) or _line(self.title, 255),
        }


@dataclass(frozen=True)
class Conclusive:
    """How a check ends. `summary` is markdown."""

    conclusion: Conclusion
    title: str
    summary: str = ""
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True)
class Check:
    """One check run as GitHub has it; `run`, `attempt`, `leg`, `place` out of its external id."""

    id: int
    name: str
    status: str
    conclusion: str | None
    url: str | None
    run: int
    attempt: int
    leg: str
    place: Place | None = None
    annotations: int = 0

    @property
    def open(self) -> bool:
        return self.status != "completed"


def read_check(found: dict[str, Any]) -> Check | None:
    """None for a check that is not ours."""
    external = _EXTERNAL.fullmatch(str(found.get("external_id") or ""))
    name, number = str(found.get("name")), found.get("id")
    if external is None or not isinstance(number, int):
        return None
    if name != AGGREGATE and not name.startswith(PREFIX):
        return None
    run, attempt, leg, pull, comment = external.groups()
    return Check(
        id=number,
        name=name,
        status=str(found.get("status")),
        conclusion=found.get("conclusion"),
        url=found.get("html_url"),
        run=int(run),
        attempt=int(attempt),
        leg=leg,
        place=Place(int(pull), int(comment)) if comment else None,
        annotations=int((found.get("output") or {}).get("annotations_count") or 0),
    )


@dataclass
class Checks:
    """The checks of one job on one commit. Methods raise Trouble or ServiceError."""

    client: Client
    identity: Identity
    repository: str
    sha: str
    job: Job
    known: list[Check] | None = None
    opened: dict[str, Check] = field(default_factory=dict)

    def listed(self, sha: str | None = None) -> list[Check]:
        """Ours on a commit, the newest last."""
        path = f"/repos/{self.repository}/commits/{sha or self.sha}/check-runs"
        found = self.client.list(path, "check_runs", filter="all")
        ours = [check for item in found if (check := read_check(item)) is not None]
        return sorted(ours, key=lambda check: check.id)

    def open(self, name: str) -> Check:
        """Join the one that a job of this run has opened (the aggregate's is shared), else make a
        new one; one that an earlier run left open is closed. `known` may be set to nothing where
        there cannot be any yet."""
        if self.known is None:
            self.known = self.listed()
        same = [check for check in self.known if check.name == name]
        joined = next((check for check in reversed(same) if self._is_this_run(check)), None)
        check = self._reopen(joined) if joined is not None else self._create(name)
        self.opened[name] = check
        ours = (self.job.run, self.job.attempt)
        for older in same:
            if older.open and (older.run, older.attempt) < ours:
                self._supersede(older)
        return check

    def complete(self, check: Check, result: Conclusive, place: Place | None = None) -> None:
        """Annotations that an earlier step of this job has left are not said again."""
        sent = check.annotations
        batches = [
            result.annotations[at : at + ANNOTATIONS]
            for at in range(sent, len(result.annotations), ANNOTATIONS)
        ] or [()]
        for batch in batches:
            body = {**_completed(result), "external_id": self.job.external_id(place)}
            if batch:
                body["output"]["annotations"] = [annotation.body() for annotation in batch]
            sent += len(batch)
            self._patch(check.id, body, sent, appends=bool(batch))
        self.opened.pop(check.name, None)

    def complete_twins(self, check: Check, result: Conclusive, listed: Iterable[Check]) -> None:
        """Jobs that began at the same moment, or runs side by side, have each made one of the
        name, and left it open for the last job."""
        for twin in listed:
            if twin.open and twin.name == check.name and twin.id != check.id:
                self._tolerate(twin.id, _completed(result))

    def leftover(self) -> list[Check]:
        """Open checks of this very job."""
        return [c for c in self.listed() if c.open and self._is_this_run(c)]

    def _is_this_run(self, check: Check) -> bool:
        same = (check.run, check.attempt) == (self.job.run, self.job.attempt)
        return same and (check.name == AGGREGATE or check.leg == self.job.leg)

    def _create(self, name: str) -> Check:
        external = self.job.external_id()
        body: dict[str, Any] = {
            "name": name,
            "head_sha": self.sha,
            "status": "in_progress",
            "external_id": external,
        }
        if self.job.url is not None:
            body["details_url"] = self.job.url
        path = f"/repos/{self.repository}/check-runs"

        def done() -> dict[str, Any] | None:
            found = self.client.list(
                f"/repos/{self.repository}/commits/{self.sha}/check-runs",
                "check_runs",
                check_name=name,
                filter="all",
            )
            mine = [one for one in found if one.get("external_id") == external]
            return max(mine, key=lambda one: int(one["id"]), default=None)

        made = self.client.write("POST", path, body, done)
        self.identity.learn_from_check(made)
        check = read_check(made)
        if check is None:
            raise ServiceError("GitHub answered a check that is not the one asked for", where=path)
        return check

    def _reopen(self, check: Check) -> Check:
        path = self._one(check.id)
        if check.open:
            found = self.client.get(path)
        else:
            found = self.client.write("PATCH", path, {"status": "in_progress"})
        self.identity.learn_from_check(found)
        return read_check(found) or check

    def _supersede(self, check: Check) -> None:
        said = f"Run {self.job.run} has taken its place."
        result = Conclusive("cancelled", "Superseded by a later run", said)
        self._tolerate(check.id, _completed(result))

    def _tolerate(self, number: int, body: dict[str, Any]) -> None:
        """It may be another App's."""
        try:
            self.client.write("PATCH", self._one(number), body)
        except Trouble as trouble:
            if trouble.kind not in {"denied", "missing", "refused"}:
                raise

    def _patch(self, number: int, body: dict[str, Any], sent: int, *, appends: bool) -> None:
        """Annotations append, so such a request is repeated only when they have not arrived."""
        path = self._one(number)

        def done() -> dict[str, Any] | None:
            found: dict[str, Any] = self.client.get(path)
            check = read_check(found)
            return found if check is not None and check.annotations >= sent else None

        self.client.write("PATCH", path, body, done if appends else None)

    def _one(self, number: int) -> str:
        return f"/repos/{self.repository}/check-runs/{number}"


def worst(conclusions: Iterable[str | None]) -> Conclusion:
    """Of many models. One that GitHub says and we do not know counts as a failure."""
    found = set(conclusions)
    if found - set(SEVERITY):
        return "failure"
    return next((conclusion for conclusion in SEVERITY if conclusion in found), "success")


def others(listed: Iterable[Check], names: Iterable[str]) -> list[Check]:
    """Of every other model the newest check on this commit: by other jobs of a matrix."""
    ours = {AGGREGATE, *names}
    newest = {check.name: check for check in sorted(listed, key=lambda check: check.id)}
    return [check for name, check in newest.items() if name not in ours]


def remembered_comment(checks: Sequence[Check], pull: int) -> int | None:
    """The comment that earlier runs wrote on this pull request."""
    places = (check.place for check in reversed(checks))
    return next((place.comment for place in places if place and place.pull == pull), None)


def _completed(result: Conclusive) -> dict[str, Any]:
    title = _line(result.title, TITLE_CHARACTERS)
    summary = cut(clean(result.summary), TEXT_BYTES) or title
    output: dict[str, Any] = {"title": title, "summary": summary}
    return {"status": "completed", "conclusion": result.conclusion, "output": output}


def _line(text: str, limit: int) -> str:
    line = clean(text).replace("\n", " ")
    return line if len(line) <= limit else line[: limit - 1] + "…"

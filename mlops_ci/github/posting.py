"""What is posted where the token allows it, and what is said where it does not.

A comment or a check that could not be posted never hides or changes the verdict: every failure
here becomes a note for the job's summary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from mlops_ci.errors import AccessError, MlopsCiError, ServiceError
from mlops_ci.github.checks import (
    AGGREGATE,
    Check,
    Checks,
    Conclusion,
    Conclusive,
    Place,
    others,
    remembered_comment,
    worst,
)
from mlops_ci.github.client import Client, explained
from mlops_ci.github.comments import Posted, Sticky
from mlops_ci.github.event import Event
from mlops_ci.github.identity import Identity
from mlops_ci.github.parts import Ours
from mlops_ci.github.patience import Trouble

T = TypeVar("T")

FORK = (
    "This pull request comes from a fork, so GitHub gives its job a token that only reads. "
    "The report stands here; verdict and exit code are not changed by that."
)
MOST_COMMITS = 10  # of a pull request are asked for the comment that they remember


@dataclass
class Posting:
    """One job's dealings with GitHub. `client` is None without a token. `notes` are sentences,
    `errors` the documents behind them."""

    event: Event
    client: Client | None
    checks: Checks | None
    identity: Identity | None
    notes: list[str] = field(default_factory=list)
    errors: list[MlopsCiError] = field(default_factory=list)
    aggregate: Check | None = None
    posted: Posted | None = None
    denied: bool = False
    unopened: list[MlopsCiError] = field(default_factory=list)

    @property
    def comment_url(self) -> str:
        return (self.posted.url or "") if self.posted is not None else ""

    @property
    def check_url(self) -> str:
        return (self.aggregate.url or "") if self.aggregate is not None else ""

    @property
    def open_checks(self) -> bool:
        return self.checks is not None and bool(self.checks.opened)

    def begin(self, *, alone: bool = False) -> None:
        """Open the check that is to be required, before anything else is done. `alone`: no other
        job or step of this run opens checks; on a commit that is new there are none to look for."""
        checks = self.checks
        if checks is not None:
            if alone and self.event.fresh and checks.job.attempt == 1:
                checks.known = []
            self.aggregate = self._try("the check was not opened", lambda: checks.open(AGGREGATE))
            self.unopened = list(self.errors)

    def _begun(self) -> bool:
        """GitHub may answer at the end of a job that it did not answer at its beginning: what is
        required must be there. Asked once more, unless a right was missing."""
        if self.aggregate is None and self.checks is not None and self.unopened and not self.denied:
            before, self.unopened, self.checks.known = self.unopened, [], None
            checks = self.checks
            self.aggregate = self._try("the check was not opened", lambda: checks.open(AGGREGATE))
            if self.aggregate is not None:
                self.errors = [error for error in self.errors if error not in before]
        return self.aggregate is not None

    def begin_model(self, name: str) -> None:
        checks = self.checks
        if checks is not None and self.aggregate is not None:
            self._try(f"the check {name!r} was not opened", lambda: checks.open(name))

    def comment(self, ours: Callable[[str], Ours], monotonic: Callable[[], float]) -> None:
        """`ours` gets the commit that this run is about."""
        client, identity, number = self.client, self.identity, self.event.number
        if client is None or identity is None or number is None:
            return

        def post() -> Posted:
            event = self.event
            current = partial(self._current, client, number)
            sticky = Sticky(client, identity, event.repository, number, monotonic, current)
            return sticky.post(ours(event.head), lambda: self._remembered(client, number))

        self.posted = self._try("the comment was not posted", post)
        if self.posted is not None and self.posted.note is not None:
            self.notes.append(f"{self.posted.note[0].upper()}{self.posted.note[1:]}.")

    def attempt(self, what: str, work: Callable[[], T], *, quiet: bool = False) -> T | None:
        """None, and a note, when GitHub refuses; `quiet`: a missing right is not worth a note."""
        errors = len(self.errors)
        found = self._try(what, work)
        if quiet:
            self.errors[errors:] = [
                error for error in self.errors[errors:] if not isinstance(error, AccessError)
            ]
        return found

    def conclude_model(self, name: str, result: Conclusive) -> None:
        checks = self.checks
        if checks is None or not self._begun():
            return

        def conclude() -> None:
            check = checks.opened.get(name) or checks.open(name)
            checks.complete(check, result, self._place)

        self._try(f"the check {name!r} was not completed", conclude)

    def conclude(self, result: Conclusive, names: list[str]) -> None:
        """Complete the aggregate check with the worst of ours and of what other jobs found; leave
        it to the last job while one of them is at work."""
        checks = self.checks
        if checks is None or not self._begun() or (aggregate := self.aggregate) is None:
            return

        def conclude() -> None:
            listed = checks.listed()
            found = others(listed, names)
            if any(check.open for check in found):
                checks.opened.pop(AGGREGATE, None)
                return
            total = with_others(result, found)
            checks.complete(aggregate, total, self._place)
            checks.complete_twins(aggregate, total, listed)

        self._try(f"the check {AGGREGATE!r} was not completed", conclude)

    def close(self, conclusion: Conclusion, title: str, said: str) -> None:
        """Whatever is still open: the job ends without a verdict."""
        checks = self.checks
        if checks is None:
            return
        result = Conclusive(conclusion, title, said)

        def close() -> None:
            for check in checks.leftover():
                if check.name != AGGREGATE:
                    checks.complete(check, result, check.place)
            for check in checks.leftover():
                self.aggregate = check
                self.conclude(result, [])

        self._try("the checks were not closed", close)

    @property
    def _place(self) -> Place | None:
        posted, number = self.posted, self.event.number
        if posted is None or posted.id is None or number is None:
            return None
        return Place(number, posted.id)

    def _current(self, client: Client, number: int) -> str:
        pull = client.get(f"/repos/{self.event.repository}/pulls/{number}")
        return str(pull["head"]["sha"])

    def _remembered(self, client: Client, number: int) -> int | None:
        """On the checks of this commit, of the one before the push, and of the branch's others."""
        checks = self.checks
        if checks is None or self.aggregate is None:
            return None
        found = remembered_comment(checks.known or [], number)
        if found is not None or self.event.action == "opened":
            return found
        path = f"/repos/{self.event.repository}/pulls/{number}/commits"
        branch = [str(item.get("sha")) for item in client.list(path)]
        before = [self.event.before] if self.event.before else []
        for sha in dict.fromkeys([*before, *reversed(branch)][: MOST_COMMITS + 1]):
            if sha == self.event.head:
                continue
            try:
                found = remembered_comment(checks.listed(sha), number)
            except Trouble:  # a commit that was thrown away by a force push
                continue
            if found is not None:
                return found
        return None

    def _try(self, what: str, work: Callable[[], T]) -> T | None:
        try:
            return work()
        except Trouble as trouble:
            self._failed(explained(trouble, what, self.event.repository))
        except MlopsCiError as error:
            self._failed(error)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            said = f"{what}: GitHub's answer lacks something: {type(error).__name__}: {error}"
            self._failed(ServiceError(said, fix="try again: run the job again"))
        return None

    def _failed(self, error: MlopsCiError) -> None:
        self.denied = self.denied or isinstance(error, AccessError)
        if isinstance(error, AccessError) and self.event.fork:
            if FORK not in self.notes:
                self.notes.append(FORK)
            return
        self.errors.append(error)


def with_others(result: Conclusive, others: list[Check]) -> Conclusive:
    """Ours, made worse by the worst that other jobs found on this commit."""
    conclusion = worst([result.conclusion, *(check.conclusion for check in others)])
    if conclusion == result.conclusion:
        return result
    names = ", ".join(check.name for check in others if worst([check.conclusion]) == conclusion)
    return Conclusive(conclusion, f"{conclusion}: {names}", result.summary, result.annotations)

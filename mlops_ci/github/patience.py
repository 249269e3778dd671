"""What to do when GitHub does not answer as it should: wait, ask again, or give up in time.

Limits: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mlops_ci.errors import ServiceError

Kind = Literal["unclear", "limited", "denied", "missing", "refused"]

BUDGET_SECONDS = 300.0  # all waiting of one action
FIRST_BACKOFF = 1.0
LONGEST_BACKOFF = 30.0
LIMIT_SECONDS = 60.0  # a limit that names no time
ATTEMPTS = 5
RATE_WORDS = ("rate limit", "secondary rate", "abuse detection")


@dataclass(eq=False)
class Trouble(Exception):  # noqa: N818 - it becomes one of our errors where it leaves this room
    """One request that did not end well.

    `unclear`: it may have been done (a dropped connection, a time-out, a gateway's page, half an
    answer). `limited`: not done, asked to wait `wait` seconds (None: no time named). `denied`: a
    permission or the token. `missing`: 404. `refused`: everything else, with GitHub's words.
    """

    kind: Kind
    said: str
    status: int | None = None
    wait: float | None = None
    needs: str = ""


def judge_answer(status: int, headers: Mapping[str, str], said: str, now: float) -> Trouble:
    """A status of 400 and above. `now` is seconds since 1970; header names are in lower case."""
    if status >= 500:
        return Trouble("unclear", f"{status} {said}".strip(), status)
    exhausted = headers.get("x-ratelimit-remaining") == "0"
    words = any(word in said.lower() for word in RATE_WORDS)
    if status == 429 or (status == 403 and (exhausted or words or "retry-after" in headers)):
        return Trouble("limited", said, status, wait=_asked_wait(headers, exhausted, now))
    if status in {401, 403}:
        needs = headers.get("x-accepted-github-permissions", "")
        return Trouble("denied", said, status, needs=needs)
    if status == 404:
        return Trouble("missing", said, status)
    return Trouble("refused", said, status)


def _asked_wait(headers: Mapping[str, str], exhausted: bool, now: float) -> float | None:  # noqa: FBT001
    """`retry-after` first, then the reset of an exhausted limit."""
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if after.isdecimal():
        return float(after)
    if exhausted and reset.isdecimal():
        return max(float(reset) - now, 1.0)
    return None


@dataclass
class Patience:
    """The waiting of one action over all of its requests, in seconds; `sleep` is the world's."""

    sleep: Callable[[float], None]
    jitter: Callable[[], float]
    budget: float = BUDGET_SECONDS
    waited: float = field(default=0.0, init=False)

    def after(self, trouble: Trouble, attempt: int, where: str) -> None:
        """Wait before the next attempt (counted from 0). Raises ServiceError at the end of the
        attempts or of the budget."""
        if trouble.kind not in {"unclear", "limited"}:
            raise trouble
        if attempt + 1 >= ATTEMPTS:
            raise given_up(trouble, where)
        seconds = self._seconds(trouble, attempt)
        if self.waited + seconds > self.budget:
            raise self._too_long(trouble, seconds, where)
        self.pause(seconds)

    def pause(self, seconds: float) -> None:
        self.waited += seconds
        self.sleep(seconds)

    def _seconds(self, trouble: Trouble, attempt: int) -> float:
        if trouble.kind == "limited":
            return trouble.wait if trouble.wait is not None else LIMIT_SECONDS * 2**attempt
        backoff: float = min(FIRST_BACKOFF * 2**attempt, LONGEST_BACKOFF)
        return backoff * (0.5 + self.jitter())

    def _too_long(self, trouble: Trouble, seconds: float, where: str) -> ServiceError:
        left = max(self.budget - self.waited, 0.0)
        asks = "asks to wait" if trouble.wait is not None else "may answer again in"
        return ServiceError(
            f"GitHub {asks} {seconds:,.0f} s; at most {left:,.0f} s are left for waiting: "
            f"{trouble.said}",
            where=where,
            fix="try again later: run the failed job again",
        )


def given_up(trouble: Trouble, where: str) -> ServiceError:
    return ServiceError(
        f"GitHub did not answer as it should, {ATTEMPTS} times: {trouble.said}",
        where=where,
        fix="look at https://www.githubstatus.com, then run the job again",
    )

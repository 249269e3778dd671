"""What an answer means, and how long to wait for a better one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.errors import ServiceError
from mlops_ci.github.patience import (
    ATTEMPTS,
    BUDGET_SECONDS,
    LIMIT_SECONDS,
    LONGEST_BACKOFF,
    Kind,
    Trouble,
    judge_answer,
)
from tests.unit.github.scripted import Slept, denied, limited, patient, unclear

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("status", "headers", "said", "kind", "wait"),
    [
        (502, {}, "a page that is not JSON", "unclear", None),
        (500, {}, "", "unclear", None),
        (503, {"retry-after": "7"}, "", "unclear", None),
        (429, {}, "", "limited", None),
        (429, {"retry-after": "9999"}, "", "limited", 9999.0),
        (403, {"retry-after": "7"}, "secondary", "limited", 7.0),
        (403, {}, "You have exceeded a secondary rate limit.", "limited", None),
        (403, {}, "You have triggered an abuse detection mechanism", "limited", None),
        (
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW + 90:.0f}"},
            "API rate limit exceeded",
            "limited",
            90.0,
        ),
        (
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW - 90:.0f}"},
            "",
            "limited",
            1.0,
        ),
        (429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "", "limited", None),
        (429, {"retry-after": "²"}, "", "limited", None),
        (429, {"retry-after": "-5"}, "", "limited", None),
        (429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, "", "limited", None),
        (403, {"x-ratelimit-remaining": "12"}, "Resource not accessible", "denied", None),
        (401, {}, "Bad credentials", "denied", None),
        (404, {}, "Not Found", "missing", None),
        (422, {}, "Validation Failed", "refused", None),
        (410, {}, "Gone", "refused", None),
    ],
)
def test_what_an_answer_means(
    status: int, headers: dict[str, str], said: str, kind: Kind, wait: float | None
) -> None:
    found = judge_answer(status, headers, said, NOW)
    assert (found.kind, found.wait, found.status) == (kind, wait, status)


def test_the_permission_that_was_missing_is_kept() -> None:
    headers = {"x-accepted-github-permissions": "checks=write"}
    assert judge_answer(403, headers, "no", NOW).needs == "checks=write"


@given(
    st.integers(400, 599),
    st.dictionaries(
        st.sampled_from(("retry-after", "x-ratelimit-remaining", "x-ratelimit-reset")),
        st.text(max_size=8) | st.integers(-5, 10**400).map(str),
    ),
    st.text(max_size=30),
)
def test_no_headers_are_an_error(status: int, headers: dict[str, str], said: str) -> None:
    found = judge_answer(status, headers, said, NOW)
    slept = Slept()
    patience = patient(slept)

    def ask() -> None:
        for attempt in range(ATTEMPTS):
            patience.after(found, attempt, "GET /")

    with pytest.raises((Trouble, ServiceError)):
        ask()
    assert sum(slept.seconds) <= BUDGET_SECONDS


def test_a_wait_that_is_named_is_kept_exactly() -> None:
    slept = Slept()
    patient(slept).after(limited(17.0), 0, "POST /")
    assert slept.seconds == [17.0]


def test_a_bare_limit_waits_a_minute_and_then_longer() -> None:
    slept = Slept()
    patience = patient(slept, budget=1e9)
    for attempt in range(3):
        patience.after(limited(), attempt, "POST /")
    assert slept.seconds == [LIMIT_SECONDS, 2 * LIMIT_SECONDS, 4 * LIMIT_SECONDS]


def test_a_lost_answer_waits_a_moment_and_not_all_for_as_long() -> None:
    slept = Slept()
    patience = patient(slept)
    for attempt in range(ATTEMPTS - 1):
        patience.after(unclear(), attempt, "GET /")
    assert slept.seconds == sorted(slept.seconds)
    assert 0.5 <= slept.seconds[0] <= 1.5
    assert slept.seconds[-1] <= 1.5 * LONGEST_BACKOFF
    early, late = Slept(), Slept()
    for found, jitter in ((early, 0.0), (late, 1.0)):
        patience = patient(found)
        patience.jitter = lambda value=jitter: value  # type: ignore[misc]
        patience.after(unclear(), 0, "GET /")
    assert early.seconds < late.seconds


def test_a_wait_beyond_the_budget_ends_at_once_and_says_what_to_do() -> None:
    slept = Slept()
    with pytest.raises(ServiceError, match="asks to wait 9,999 s") as caught:
        patient(slept).after(limited(9999.0), 0, "POST /comments")
    assert slept.seconds == []
    assert caught.value.exit_code == 4
    assert "try again" in caught.value.fix
    assert caught.value.where == "POST /comments"


def test_the_budget_is_one_for_all_requests() -> None:
    slept = Slept()
    patience = patient(slept)
    for _ in range(4):
        patience.after(limited(70.0), 0, "POST /")
    with pytest.raises(ServiceError, match="at most 20 s are left"):
        patience.after(limited(70.0), 0, "POST /")
    assert sum(slept.seconds) == 280.0


def test_github_is_not_said_to_have_asked_for_our_own_backoff() -> None:
    with pytest.raises(ServiceError, match="may answer again in 60 s"):
        patient(budget=10).after(limited(), 0, "POST /")


def test_the_last_attempt_gives_up_with_github_s_words() -> None:
    slept = Slept()
    with pytest.raises(ServiceError, match="5 times: 502 a page") as caught:
        patient(slept).after(unclear(), ATTEMPTS - 1, "GET /")
    assert slept.seconds == []
    assert "githubstatus.com" in caught.value.fix


@pytest.mark.parametrize("trouble", [denied(), Trouble("missing", "no"), Trouble("refused", "no")])
def test_a_no_is_not_asked_again(trouble: Trouble) -> None:
    slept = Slept()
    with pytest.raises(Trouble) as caught:
        patient(slept).after(trouble, 0, "POST /")
    assert caught.value is trouble
    assert slept.seconds == []

"""One folded group a step, what the user's command prints inside it as text."""

from __future__ import annotations

import io
import itertools

import pytest

from mlops_ci.action.groups import Groups
from mlops_ci.github.runner import Runner


def lines_of(out: io.BytesIO) -> list[str]:
    """Without the random words that stop commands."""
    lines = out.getvalue().decode().splitlines()
    words = [line.rpartition("::")[2] for line in lines if line.startswith("::stop-commands::")]
    hidden = {f"::stop-commands::{word}" for word in words}
    shown = {f"::{word}::": "(commands again)" for word in words}
    return ["(text)" if line in hidden else shown.get(line, line) for line in lines]


def groups(out: io.BytesIO) -> Groups:
    clock = itertools.count(0.0, 1.5)
    return Groups(Runner({}, out), lambda: next(clock))


def test_a_step_is_a_group_and_a_line() -> None:
    out = io.BytesIO()
    with groups(out).step("churn", "train", "python\n  train.py") as echo:
        assert echo is not None
        echo(b"::set-output name=verdict::pass\n")
    assert lines_of(out) == [
        "::group::churn · train  python train.py",
        "(text)",
        "::set-output name=verdict::pass",
        "(commands again)",
        "::endgroup::",
        "(text)",
        "✓ churn · train  1.5 s",
        "(commands again)",
    ]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_step_that_fails_closes_its_group(error: type[BaseException]) -> None:
    out = io.BytesIO()

    def run() -> None:
        with groups(out).step("churn", "train", "") as echo:
            assert echo is not None
            echo(b"an unfinished line")
            raise error

    with pytest.raises(error):
        run()
    assert lines_of(out) == [
        "::group::churn · train",
        "(text)",
        "an unfinished line",
        "(commands again)",
        "::endgroup::",
        "(text)",
        "✗ churn · train  1.5 s",
        "(commands again)",
    ]


def test_a_name_cannot_end_its_group() -> None:
    out = io.BytesIO()
    with groups(out).step("churn\n::endgroup::", "train", ""):
        pass
    assert lines_of(out)[0] == "::group::churn%0A::endgroup:: · train"


def test_a_note_is_a_line() -> None:
    out = io.BytesIO()
    groups(out).note("::warning::not one")
    assert lines_of(out)[1] == "  ::warning::not one"

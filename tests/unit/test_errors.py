from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.errors import SEVERITY, ConfigError, MlopsCiError, worst_exit_code


def test_an_error_is_a_document() -> None:
    error = ConfigError("what", where="here", fix="do:\n  this: 1", link="there")
    assert str(error) == ("what\n  where: here\n  to do: do:\n    this: 1\n  more:  there")


def test_a_reader_of_the_repository_sees_paths_of_it(tmp_path: Path) -> None:
    inside = tmp_path / "out" / "metrics.json"
    error = MlopsCiError(f"{inside}: broken", where=str(inside), fix=f"look at {inside}")
    error.seen_from(tmp_path)
    assert str(error) == (
        "out/metrics.json: broken\n  where: out/metrics.json\n  to do: look at out/metrics.json"
    )


def test_the_repository_itself_is_the_checkout(tmp_path: Path) -> None:
    error = MlopsCiError("it is shallow", where=str(tmp_path))
    error.seen_from(tmp_path)
    assert error.where == "the checkout"


def test_the_model_is_named_once() -> None:
    assert MlopsCiError("no rows").about("churn") == "churn: no rows"
    assert MlopsCiError("churn: no rows").about("churn") == "churn: no rows"


def test_every_class_has_a_documented_code() -> None:
    classes = [MlopsCiError]
    while classes:
        kind = classes.pop()
        assert kind.exit_code in SEVERITY
        classes += kind.__subclasses__()


@given(st.lists(st.sampled_from(SEVERITY)))
def test_the_worst_outcome_is_the_exit_code(codes: list[int]) -> None:
    worst = worst_exit_code(codes)
    assert worst == 0 or worst in codes
    assert all(SEVERITY.index(worst) <= SEVERITY.index(code) for code in codes)

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.errors import SEVERITY, ConfigError, MlopsCiError, worst_exit_code


def test_an_error_is_a_document() -> None:
    error = ConfigError("what", where="here", fix="do:\n  this: 1", link="there")
    assert str(error) == ("what\n  where: here\n  to do: do:\n    this: 1\n  more:  there")


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

"""What many jobs found, as one conclusion."""

from __future__ import annotations

import pytest

from mlops_ci.github.checks import Annotation, Check, Conclusion, Conclusive
from mlops_ci.github.posting import with_others


def check(name: str, conclusion: str | None) -> Check:
    return Check(1, name, "completed", conclusion, None, run=1, attempt=1, leg="0a")


OURS = Conclusive("neutral", "ours", "text", (Annotation("mlops-ci.yaml", 1, "t", "m"),))


@pytest.mark.parametrize(
    ("theirs", "conclusion", "title"),
    [
        ([], "neutral", "ours"),
        (["success", "neutral"], "neutral", "ours"),
        (["failure", "success", "failure"], "failure", "failure: m0, m2"),
        (["cancelled"], "cancelled", "cancelled: m0"),
        (["timed_out", "success"], "failure", "failure: m0"),
        ([None], "failure", "failure: m0"),
    ],
)
def test_others_make_it_worse_and_never_better(
    theirs: list[str | None], conclusion: Conclusion, title: str
) -> None:
    others = [check(f"m{at}", one) for at, one in enumerate(theirs)]
    found = with_others(OURS, others)
    assert (found.conclusion, found.title) == (conclusion, title)
    assert (found.summary, found.annotations) == (OURS.summary, OURS.annotations)

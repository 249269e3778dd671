"""Which of main's runs are set against each other."""

from __future__ import annotations

from mlops_ci.baseline.entry import Header
from mlops_ci.baseline.history import MOST, other_seeds, repeats_of, runs_by_key
from mlops_ci.records import Evaluation
from mlops_ci.records.evaluation import Seeds, SeedValues


def header(auc: float, *repeats: float, key: str = "a", rows: str = "r") -> Header:
    return Header(
        address=key, model="churn", key=key, rows=rows, stored="", commits=(), files={},
        metrics={"roc_auc": auc}, repeats=tuple({"roc_auc": one} for one in repeats),
    )  # fmt: skip


def test_a_run_of_the_same_key_is_remembered_once() -> None:
    assert repeats_of(header(0.9), None) == ()
    assert repeats_of(header(0.91), header(0.9)) == ({"roc_auc": 0.9},)
    assert repeats_of(header(0.9), header(0.9)) == ()
    assert repeats_of(header(0.9), header(0.91, 0.9, 0.92)) == (
        {"roc_auc": 0.91},
        {"roc_auc": 0.92},
    )


def test_a_metric_more_makes_no_other_run() -> None:
    new = header(0.9)
    old = Header(
        address="a", model="churn", key="a", rows="r", stored="", commits=(), files={},
        metrics={"roc_auc": 0.9, "mcc": 0.5},
    )  # fmt: skip
    assert repeats_of(new, old) == ()


def test_history_has_an_end() -> None:
    old = header(0.5, *(0.6 + i / 1000 for i in range(50)))
    assert len(repeats_of(header(0.9), old)) == MOST


def test_only_the_same_rows_are_history_and_keys_stay_apart() -> None:
    headers = [header(0.9, 0.91), header(0.8, key="b"), header(0.1, 0.2, key="c", rows="others")]
    assert runs_by_key(headers, "r") == {"roc_auc": [[0.9, 0.91], [0.8]]}
    assert runs_by_key([header(0.9, 0.91, rows="")], "") == {}


def test_seeds_beside_the_one_that_counts() -> None:
    values = (
        SeedValues(metric="roc_auc", values=(0.9, 0.91, 0.92)),
        SeedValues(metric="roc_auc", slice="region=north", values=(0.7, 0.8, 0.9)),
    )
    evaluation = Evaluation(
        model="churn", commit="c", evaluated="", seeds=Seeds(trainings=3, values=values)
    )
    assert other_seeds(evaluation) == ({"roc_auc": 0.91}, {"roc_auc": 0.92})
    same = Evaluation(model="churn", commit="c", evaluated="", seeds=Seeds(trainings=3, same=True))
    assert other_seeds(same) == ()

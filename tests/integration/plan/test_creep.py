"""Many merges that each lose less than their gate: main's best of 90 days bounds what they lose in
all, whatever is measured and whatever becomes of the evaluation rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlops_ci.baseline.commit import Asked
from mlops_ci.plan import Context, Occasion, execute, plan_project, store_of
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.records import Comparison, GateResult
from tests.integration.repositories import Repository, make_repository

CONFIG = """
tracking-uri: none
store: {backend: folder, path: ../store}
models:
  m:
    predictions: predictions.csv
    metrics: metrics.json
    model: model.bin
    task: binary
    slices: [region]
    fairness: [region]
    columns: {values: {cost: lower}}
    gates:
"""
PLAIN = "      accuracy: {max-drop: 0.02, max-total-drop: 0.03}\n"
NORTH = "      accuracy: {max-drop: 0.05, max-total-drop: 0.06, slice: region=north}\n"
N = 1200


def rows(
    north: int, south: int, ids: range = range(N), *, mended: int = 0, named: bool = True
) -> str:
    """`north`, `south`: how many of 600 answers are wrong. `mended`: labels that were turned."""
    wrong = {0: 600 - north, 1: 600 - south}
    lines = ["id,label,prediction,region,cost" if named else "label,prediction,region,cost"]
    for i in ids:
        place = i // 2 % 600
        label = (i // 2 + (place < mended)) % 2
        missed = place >= wrong[i % 2]
        cells = f"{label},{label ^ missed},{'south' if i % 2 else 'north'},{0.5 + 0.01 * missed}"
        lines.append(f"{i},{cells}" if named else cells)
    return "\n".join(lines) + "\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return make_repository(tmp_path)


def merge(repo: Repository, predictions: str, **files: str) -> ModelOutcome:
    """What the merge workflow does on main; `number` and `size` of the metrics file and the model."""
    score = float(files.pop("score", "1"))
    said = {"metrics.json": json.dumps({"test": {"score": score, "waste": 1 - score}})}
    said |= {"model.bin": "x" * int(files.pop("size", "1000")), "predictions.csv": predictions}
    said |= {"mlops-ci.yaml": files.pop("config")} if "config" in files else {}
    repo.commit({**files, **said})
    repo.push()
    project = repo.project()
    occasion = Occasion(Asked("push", head=repo.git("rev-parse", "HEAD")), ships=True)
    context = Context(project, store=store_of(project), timeout=120)
    (outcome,) = execute(plan_project(project, occasion), context).models
    assert outcome.error is None, outcome.error
    return outcome


def compared(outcome: ModelOutcome) -> Comparison:
    assert outcome.comparison is not None
    return outcome.comparison


def anchored(outcome: ModelOutcome) -> dict[tuple[str, str | None], GateResult]:
    creep = [one for one in compared(outcome).gates if one.against == "anchor"]
    return {(one.metric, one.slice): one for one in creep}


def by_base(outcome: ModelOutcome) -> Mapping[str, bool]:
    return {one.metric: one.blocks for one in compared(outcome).gates if one.against == "base"}


def test_a_slice_has_a_best_of_its_own(repo: Repository) -> None:
    """All rows get better from merge to merge, and one slice worse."""
    wild = NORTH.replace("region=north", "region=*")
    assert merge(repo, rows(60, 100), config=CONFIG + wild).exit_code == 0
    assert merge(repo, rows(84, 60)).exit_code == 0
    outcome = merge(repo, rows(108, 70))
    assert by_base(outcome) == {"accuracy": False}
    creep = anchored(outcome)
    lost = {where: round(one.estimate or 0, 6) for (_, where), one in creep.items()}
    assert lost == {"region=north": -0.08, "region=south": round(-10 / 600, 6)}
    assert (creep["accuracy", "region=north"].blocks, outcome.exit_code) == (True, 1)


def test_a_gate_that_is_new_on_a_slice_says_that_main_has_no_record_of_it(
    repo: Repository,
) -> None:
    assert merge(repo, rows(30, 60), config=CONFIG + PLAIN).exit_code == 0
    outcome = merge(repo, rows(31, 60), config=CONFIG + PLAIN + NORTH.replace("accuracy", "f1"))
    assert set(anchored(outcome)) == {("accuracy", None)}
    said = "main's records of 90 days have no f1 of region=north: no limit in all"
    assert any(note.startswith(said) for note in compared(outcome).notes)
    assert ("f1", "region=north") in anchored(merge(repo, rows(32, 60)))


OTHERS = """
      f1_macro: {max-drop: 0.04, max-total-drop: 0.045}
      recall@1: {max-drop: 0.04, max-total-drop: 0.045}
      cost: {max-drop: 0.0004, max-total-drop: 0.00045}
      specificity: {max-drop-relative: 0.05, max-total-drop: 0.055}
      equalized_odds_difference: {max-drop: 0.09, max-total-drop: 0.1, slice: region}
      score: {max-drop: 0.02, max-total-drop: 0.03, accept: point}
      waste: {max-drop: 0.02, max-total-drop: 0.03, accept: point, better: lower}
      model_size_mb: {max-drop: 0.001, max-total-drop: 0.0015}
"""


def test_each_metric_has_its_own(repo: Repository) -> None:
    """An average, a class, a column, a part, fairness, a number of a metrics file and a size."""
    assert merge(repo, rows(30, 30), config=CONFIG + OTHERS[1:], score="0.9").exit_code == 0
    first = merge(repo, rows(30, 60), score="0.882", size="1900")
    assert first.exit_code == 0
    assert len(anchored(first)) == 8
    outcome = merge(repo, rows(30, 94), score="0.864", size="2800")
    assert set(by_base(outcome).values()) == {False}
    creep = anchored(outcome)
    names = (
        "f1_macro",
        "recall@1",
        "cost",
        "specificity",
        "test.score",
        "test.waste",
        "model_size_mb",
    )
    assert {place[0]: one.blocks for place, one in creep.items()} == dict.fromkeys(
        (*names, "equalized_odds_difference"), True
    )
    lost = {place[0]: round(one.estimate or 0, 6) for place, one in creep.items()}
    assert (lost["test.score"], lost["model_size_mb"]) == (-0.036, 0.0018)


def test_a_test_set_that_grows_keeps_its_past(repo: Repository) -> None:
    """One row more with every merge. Nobody asks main's model about it, so nothing passes."""
    assert merge(repo, rows(30, 30), config=CONFIG + PLAIN).exit_code == 0
    for added, wrong in ((1, 39), (2, 48)):
        outcome = merge(repo, rows(wrong, wrong, range(N + added)))
        creep = anchored(outcome)["accuracy", None]
        assert (creep.verdict, creep.blocks, outcome.exit_code) == ("inconclusive", False, 0)
    notes = compared(outcome).notes
    assert any("judged on the 1,200 rows that its 1,200 and head's 1,202 have" in n for n in notes)
    outcome = merge(repo, rows(56, 56, range(N + 3)))
    creep = anchored(outcome)["accuracy", None]
    assert by_base(outcome) == {"accuracy": False}
    assert creep.estimate == pytest.approx(-52 / 1200)
    assert (creep.blocks, outcome.exit_code) == (True, 1)
    assert compared(outcome).evaluations == 4


def test_the_best_of_the_same_rows_and_of_others_both_count(repo: Repository) -> None:
    """The loss of before the rows changed is not forgotten by a merge that leaves them alone."""
    more = range(N + 1)
    assert merge(repo, rows(30, 30), config=CONFIG + PLAIN).exit_code == 0
    assert merge(repo, rows(39, 39, more)).exit_code == 0
    held = merge(repo, rows(42, 42, more))
    creep = anchored(held)["accuracy", None]
    assert (creep.verdict, creep.reason) == ("pass", "holds")
    assert creep.estimate == pytest.approx(-0.02), "of the two it is the worse that is shown"
    assert compared(held).verdict == "pass"
    outcome = merge(repo, rows(52, 52, more))
    assert by_base(outcome) == {"accuracy": False}
    assert anchored(outcome)["accuracy", None].estimate == pytest.approx(-44 / 1200)
    assert anchored(outcome)["accuracy", None].blocks


def test_a_mended_label_takes_its_row_and_not_the_limit(repo: Repository) -> None:
    assert merge(repo, rows(30, 30), config=CONFIG + PLAIN).exit_code == 0
    repo.commit({"predictions.csv": rows(56, 56, mended=6)})
    repo.push()  # labels that differ are refused against base: this one is merged by hand
    outcome = merge(repo, rows(57, 57, mended=6))
    assert by_base(outcome) == {"accuracy": False}
    creep = anchored(outcome)["accuracy", None]
    assert creep.estimate == pytest.approx(-54 / 1188)
    assert creep.blocks


def test_rows_that_nothing_pairs_are_said_to_have_no_limit(repo: Repository) -> None:
    assert merge(repo, rows(30, 30, named=False), config=CONFIG + PLAIN).exit_code == 0
    outcome = merge(repo, rows(31, 31, range(N + 2), named=False))
    assert anchored(outcome) == {}
    assert any("without an id column" in note for note in compared(outcome).notes)


def test_other_rows_are_said_to_have_no_limit(repo: Repository) -> None:
    assert merge(repo, rows(30, 30), config=CONFIG + PLAIN).exit_code == 0
    outcome = merge(repo, rows(30, 30, range(600, 1800)))
    assert anchored(outcome) == {}
    assert any("fewer than 80 % of them with head" in note for note in compared(outcome).notes)
    assert compared(outcome).evaluations == 1


def test_a_limit_that_was_asked_for_is_told_where_there_is_no_record(repo: Repository) -> None:
    asked = PLAIN + "      f1: {max-drop: 0.02}\n"
    repo.commit({"predictions.csv": rows(30, 30), "mlops-ci.yaml": CONFIG + asked})
    repo.commit({"model.bin": "x", "metrics.json": '{"score": 1}'})
    repo.push()
    outcome = merge(repo, rows(31, 31))
    (said,) = [note for note in compared(outcome).notes if "max-total-drop" in note]
    assert said.endswith("no limit in all (`max-total-drop`) is held for accuracy")

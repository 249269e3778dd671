"""The evaluation rows change: main's model answers head's, in a worktree of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mlops_ci.baseline import open_store
from mlops_ci.baseline.commit import Asked
from mlops_ci.plan import Context, Occasion, execute, plan_project, store_of
from mlops_ci.plan.outcome import ModelOutcome, Silent
from mlops_ci.plan.recorded import compare_recorded
from mlops_ci.records import Comparison
from tests.integration.repositories import Repository, make_repository

CONFIG = """
tracking-uri: none
models:
  churn:
    train: python train.py
    predict: python predict.py
    data: [data]
    predictions: out/predictions.csv
    model: out/model.json
    task: binary
    gates:
      accuracy: {max-drop: 0.03}
"""
# The model is a cut; a row is hard when x and label disagree, which is so far from the cut or near.
TRAIN = """
import json, pathlib
pathlib.Path("out").mkdir(exist_ok=True)
pathlib.Path("out/model.json").write_text(json.dumps({"cut": CUT}))
(pathlib.Path.home() / "count").open("a").write("trained\\n")
"""
PREDICT = """
import csv, json, os
assert "GITHUB_TOKEN" not in os.environ
cut = json.load(open("out/model.json"))["cut"]
rows = list(csv.DictReader(open("data/test.csv")))
with open("out/predictions.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "label", "prediction"])
    for row in rows:
        writer.writerow([row["id"], row["label"], int(int(row["x"]) >= cut)])
"""


def rows(start: int, stop: int, flipped: int = 10) -> str:
    """`x` 0 … 99, labelled by 50; every `flipped`th row is labelled the other way."""
    lines = []
    for i in range(start, stop):
        x = i * 37 % 100
        label = int(x >= 50)
        lines.append(f"{i},{x},{1 - label if i % flipped == 0 else label}")
    return "id,x,label\n" + "\n".join(lines) + "\n"


def more(right: float) -> str:
    """The rows of `files`, and 250 new ones of which a cut at 50 answers this part."""
    new = rows(1000, 1250, flipped=round(1 / (1 - right))).split("\n", 1)[1]
    return rows(0, 1000) + new


def files(**others: str) -> dict[str, str | bytes]:
    return {
        "mlops-ci.yaml": CONFIG,
        "train.py": TRAIN.replace("CUT", "50"),
        "predict.py": PREDICT,
        "data/test.csv": rows(0, 1000),
        ".gitignore": "/out/\n",
        **others,
    }


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    repo.environ |= {"GITHUB_TOKEN": "s3cr3t", "HOME": str(tmp_path)}
    repo.commit(files(), "adopt mlops-ci")
    repo.push()
    return repo


def run(repo: Repository) -> tuple[ModelOutcome, Comparison]:
    project = repo.project()
    head = repo.git("rev-parse", "HEAD")
    occasion = Occasion(Asked("pull_request", head=head, branch="main"))
    outcomes = execute(
        plan_project(project, occasion), Context(project, store=store_of(project), timeout=120)
    )
    (model,) = outcomes.models
    assert model.error is None, model.error
    assert model.comparison is not None
    return model, model.comparison


def merge(repo: Repository) -> None:
    """What the merge workflow does on main: run, and keep in the store."""
    project = repo.project()
    head = repo.git("rev-parse", "HEAD")
    occasion = Occasion(Asked("push", head=head, branch="main"), ships=True)
    outcomes = execute(
        plan_project(project, occasion), Context(project, store=store_of(project), timeout=120)
    )
    assert outcomes.exit_code == 0


def trainings(repo: Repository) -> int:
    return (repo.folder.parent / "count").read_text().count("trained")


def effects(comparison: Comparison) -> tuple[float, ...]:
    (found,) = (one for one in comparison.decomposition if one.metric == "accuracy")
    values = (found.base_before, found.base_now, found.head, found.data_effect, found.model_effect)
    return tuple(round(value or 0.0, 6) for value in values)


def test_harder_rows_are_not_the_models_fault(repo: Repository) -> None:
    """Every other row of the new data is labelled against its x: both models lose the same."""
    repo.branch("data")
    repo.commit(
        {"data/test.csv": rows(1000, 2000, flipped=4), "train.py": TRAIN.replace("CUT", "51")}
    )
    _, found = run(repo)
    assert (found.verdict, found.evidence, found.rows.paired) == ("pass", "paired", 1000)
    before, base, head, data, model = effects(found)
    assert (before, base) == (0.9, 0.75)
    assert (data, model) == (-0.15, round(head - base, 6))
    assert -0.03 < model < 0
    assert found.base is not None
    assert "its model has answered head's rows" in str(found.base.source)
    told = "The test set is another one: none of base's 1,000 rows is among head's 1,000."
    assert any(note.startswith(told) for note in found.notes), found.notes
    assert repo.git("status", "--porcelain") == ""
    assert repo.git("worktree", "list").count("\n") == 0


def test_an_edited_test_set_lets_nothing_pass(repo: Repository) -> None:
    repo.branch("data")
    repo.commit(
        {"data/test.csv": rows(500, 1500, flipped=4), "train.py": TRAIN.replace("CUT", "51")}
    )
    _, found = run(repo)
    assert (found.verdict, found.evidence, found.rows.paired) == ("inconclusive", "paired", 1000)
    assert {gate.reason for gate in found.gates} == {"unscored"}
    assert any("500 of base's 1,000 are gone, 500 are new" in note for note in found.notes)
    assert any("125 have another label" in note for note in found.notes), found.notes
    assert found.left_out is not None
    assert (found.left_out.rows, found.left_out.metrics["accuracy"]) == (500, 0.9)
    assert found.left_out.kept["accuracy"] == 0.9
    assert found.decomposition


def without(text: str, wrong: int) -> str:
    """Without the rows of which `x >= wrong` is wrong and `x >= 50` right."""
    head, *lines = text.splitlines()
    cells = [tuple(map(int, line.split(","))) for line in lines]
    kept = [
        line
        for line, (_, x, label) in zip(lines, cells, strict=True)
        if int(x >= wrong) == label or int(x >= 50) != label
    ]
    return "\n".join([head, *kept]) + "\n"


def test_a_worse_model_cannot_take_the_rows_away_that_show_it(repo: Repository) -> None:
    """On what is left it even looks better than main's: that is no pass."""
    repo.branch("sly")
    left = without(rows(0, 1000), 70)
    repo.commit({"data/test.csv": left, "train.py": TRAIN.replace("CUT", "70")})
    _, found = run(repo)
    (gate,) = found.gates
    assert (gate.verdict, gate.reason) == ("inconclusive", "unscored")
    assert (gate.low or 0.0) > 0
    assert not any(metric.better for metric in found.metrics)
    assert found.left_out is not None
    assert found.left_out.rows == 1000 - (len(left.splitlines()) - 1)
    assert found.left_out.metrics["accuracy"] == 1.0


def test_a_label_that_changes_under_its_id_is_no_pass(repo: Repository) -> None:
    repo.branch("sly")
    repo.commit({"data/test.csv": rows(0, 1000, flipped=11)})
    _, found = run(repo)
    assert (found.verdict, found.blocks) == ("inconclusive", False)
    assert {gate.reason for gate in found.gates} == {"relabelled"}
    assert any("0 of base's 1,000 are gone, 0 are new" in note for note in found.notes)


def test_a_change_of_the_data_by_itself_may_be_merged(repo: Repository) -> None:
    """What the report advises: the same model on both sides, and rows that are gone."""
    repo.branch("data")
    repo.commit({"data/test.csv": rows(0, 900)})
    model, found = run(repo)
    assert (found.verdict, found.blocks, model.state) == ("inconclusive", False, "compared")
    assert {(gate.reason, gate.estimate) for gate in found.gates} == {("unscored", 0.0)}


def test_a_worse_model_fails_on_the_new_rows_too(repo: Repository) -> None:
    repo.branch("worse")
    repo.commit({"data/test.csv": rows(0, 1200), "train.py": TRAIN.replace("CUT", "70")})
    _, found = run(repo)
    assert found.verdict == "fail"
    assert found.rows.paired == 1200


TABLE = """
import csv, json, pathlib
kept = pathlib.Path("out/answers.json")
rows = list(csv.DictReader(open("data/test.csv")))
known = json.loads(kept.read_text()) if kept.exists() else {}
known = {row["id"]: known.get(row["id"], int(int(row["x"]) >= 50)) for row in rows}
kept.write_text(json.dumps(known))
with open("out/predictions.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "label", "prediction"])
    writer.writerows([row["id"], row["label"], known[row["id"]]] for row in rows)
"""
WITH_FEATURES = CONFIG.replace("    task:", "    features: data/test.csv\n    task:")


def turned(text: str, rows_: int) -> str:
    """The first rows with another x, the labels as they are."""
    head, *lines = text.splitlines()
    cells = [line.split(",") for line in lines]
    new = [f"{i},{99 - int(x)},{y}" if int(i) < rows_ else f"{i},{x},{y}" for i, x, y in cells]
    return "\n".join([head, *new]) + "\n"


@pytest.mark.parametrize("looks_up", [True, False])
def test_answers_that_are_looked_up_by_id_are_suspected(repo: Repository, looks_up: bool) -> None:
    """100 rows have other features, and 50 rows are new, so that main's model is asked."""
    adopted = {"mlops-ci.yaml": WITH_FEATURES}
    repo.commit({**adopted, "predict.py": TABLE} if looks_up else adopted)
    repo.push()
    repo.branch("data")
    repo.commit({"data/test.csv": turned(rows(0, 1050), 100)})
    _, found = run(repo)
    told = "Main's model answered each of the 100 rows whose features changed as before. If"
    assert any(note.startswith(told) for note in found.notes) is looks_up, found.notes


def test_changed_features_of_the_same_rows_are_told(repo: Repository) -> None:
    """Main's model is not asked: head could move what it is measured by."""
    repo.commit({"mlops-ci.yaml": WITH_FEATURES})
    repo.push()
    repo.branch("data")
    repo.commit({"data/test.csv": turned(rows(0, 1000), 100)})
    _, found = run(repo)
    assert found.decomposition == ()
    told = "data/test.csv changed, while the ids and labels of the evaluation rows did not"
    assert any(note.startswith(told) for note in found.notes), found.notes


def test_main_out_of_the_store_is_trained_again_once(repo: Repository) -> None:
    merge(repo)
    repo.branch("data")
    repo.commit({"data/test.csv": rows(0, 1200), "train.py": TRAIN.replace("CUT", "51")})
    (repo.folder / ".mlops-ci").rename(repo.folder.parent / "elsewhere")
    before = trainings(repo)
    _, found = run(repo)
    assert (found.verdict, found.rows.paired) == ("pass", 1200)
    assert effects(found)[:2] == (0.9, 0.9)
    assert trainings(repo) == before + 2
    repo.commit({"train.py": TRAIN.replace("CUT", "52")})
    _, again = run(repo)
    assert (again.rows.paired, again.evidence) == (1200, "paired")
    assert effects(again)[:2] == (0.9, 0.9)
    assert trainings(repo) == before + 3, "head alone: what base's model said is kept"
    changed = rows(0, 1200).replace("\n7,", "\n7000,")
    repo.commit({"data/test.csv": changed})
    run(repo)
    assert trainings(repo) == before + 5, "other data: head and base once more"


def test_one_step_at_a_time_asks_as_well(repo: Repository) -> None:
    repo.branch("data")
    head = repo.commit({"data/test.csv": rows(0, 1200)})
    run(repo)
    asked = Asked("pull_request", head=head, branch="main")
    found = compare_recorded(repo.project(), "churn", asked, None, Silent()).comparison
    assert found is not None
    assert (found.rows.paired, found.verdict) == (1200, "pass")
    assert found.decomposition


def test_a_head_that_answers_easy_rows_only_does_not_pass(repo: Repository) -> None:
    """Base's code says which rows head's data has; new data is no way to lose the hard ones."""
    repo.branch("sly")
    sly = PREDICT.replace("for row in rows:", "for row in [r for r in rows if int(r['id']) % 10]:")
    repo.commit({"data/test.csv": rows(0, 1001), "predict.py": sly})
    _, found = run(repo)
    assert found.verdict == "inconclusive"
    assert {gate.reason for gate in found.gates} == {"unscored"}
    assert found.left_out is not None
    assert (found.left_out.rows, found.left_out.metrics["accuracy"]) == (101, 0.0)
    assert found.left_out.kept["accuracy"] == 1.0


def test_a_base_that_cannot_answer_is_paired_on_what_is_common(repo: Repository) -> None:
    repo.branch("columns")
    renamed = rows(100, 1100).replace("id,x,label", "id,feature,label")
    repo.commit(
        {"data/test.csv": renamed, "predict.py": PREDICT.replace('row["x"]', 'row["feature"]')}
    )
    _, found = run(repo)
    assert (found.verdict, found.evidence, found.rows.paired) == ("inconclusive", "paired", 900)
    assert found.decomposition == ()
    assert any("could not be asked" in note and "predict" in note for note in found.notes)
    assert found.left_out is not None
    assert (found.left_out.rows, found.left_out.metrics["accuracy"]) == (100, 0.9)


def test_too_few_common_rows_are_two_samples(repo: Repository) -> None:
    repo.branch("columns")
    renamed = rows(300, 1300).replace("id,x,label", "id,feature,label")
    repo.commit(
        {"data/test.csv": renamed, "predict.py": PREDICT.replace('row["x"]', 'row["feature"]')}
    )
    _, found = run(repo)
    assert (found.verdict, found.evidence) == ("inconclusive", "unpaired")
    assert found.left_out is not None
    assert found.left_out.rows == 300


def test_a_predict_that_writes_into_heads_data_is_found_out(repo: Repository) -> None:
    repo.commit({"predict.py": PREDICT + "\nopen('data/test.csv', 'a').close()\n"
                 "import os; os.utime('data/test.csv')\n"})  # fmt: skip
    repo.push()
    repo.branch("data")
    repo.commit({"data/test.csv": rows(0, 1100), "predict.py": PREDICT})
    _, found = run(repo)
    assert found.verdict == "inconclusive"
    assert any("wrote into test.csv" in note for note in found.notes)


def test_the_age_of_the_baseline_is_in_the_record(repo: Repository) -> None:
    merge(repo)
    repo.branch("idea")
    repo.commit({"train.py": TRAIN.replace("CUT", "51")})
    repo.git("checkout", "--quiet", "main")
    for text in ("one", "two"):
        repo.commit({"notes.md": text})
    repo.push()
    repo.git("checkout", "--quiet", "idea")
    for path in (repo.folder / ".mlops-ci").glob("churn/*/evaluate.json"):
        record = json.loads(path.read_text())
        then = datetime.fromisoformat(record["evaluated"]) - timedelta(days=40, hours=1)
        path.write_text(json.dumps(record | {"evaluated": then.isoformat()}))
    _, found = run(repo)
    assert found.base is not None
    assert (found.base.behind, found.base.days) == (2, 40)
    assert (found.decomposition, found.left_out) == ((), None)


def test_data_of_dvc_is_taken_from_heads_checkout(repo: Repository) -> None:
    dvc(repo, "init", "--quiet")
    repo.git("rm", "--quiet", "--cached", "data/test.csv")
    dvc(repo, "config", "cache.type", "symlink")
    dvc(repo, "add", "--quiet", "data/test.csv")
    repo.commit({"mlops-ci.yaml": CONFIG.replace("[data]", "[data/test.csv]")})
    repo.push()
    repo.branch("data")
    (repo.folder / "data/test.csv").unlink()
    repo.write({"data/test.csv": more(0.5)})
    dvc(repo, "add", "--quiet", "data/test.csv")
    repo.commit({"train.py": TRAIN.replace("CUT", "51")})
    cached = {p: p.read_bytes() for p in (repo.folder / ".dvc/cache").rglob("*") if p.is_file()}
    _, found = run(repo)
    assert (found.verdict, found.rows.paired) == ("pass", 1250)
    assert effects(found)[:2] == (0.9, 0.82)
    assert {path: path.read_bytes() for path in cached} == cached


def dvc(repo: Repository, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=repo.folder, env=repo.environ,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()


def test_without_predict_it_is_said(repo: Repository) -> None:
    once = TRAIN.replace("CUT", "50") + PREDICT
    config = CONFIG.replace("    predict: python predict.py\n", "")
    repo.commit({"train.py": once, "mlops-ci.yaml": config})
    repo.push()
    merge(repo)
    repo.branch("data")
    repo.commit({"data/test.csv": rows(0, 1100)})
    before = trainings(repo)
    _, found = run(repo)
    assert found.verdict == "inconclusive"
    assert {gate.reason for gate in found.gates} == {"new-rows"}
    assert any("no `predict:` command" in note for note in found.notes)
    assert trainings(repo) == before + 1, "a training that cannot help is not begun"


def test_data_that_nobody_keeps_is_todays_for_both(repo: Repository) -> None:
    """In the store main's rows are yesterday's; neither Git nor DVC has that file any more."""
    repo.git("rm", "--quiet", "--cached", "data/test.csv")
    repo.commit({".gitignore": "/out/\n/data/\n"})
    repo.push()
    repo.write({"data/test.csv": rows(0, 1000)})
    merge(repo)
    repo.write({"data/test.csv": more(0.5)})
    repo.branch("idea")
    repo.commit({"train.py": TRAIN.replace("CUT", "51")})
    (repo.folder / ".mlops-ci").rename(repo.folder.parent / "elsewhere")
    _, found = run(repo)
    assert (found.verdict, found.evidence, found.rows.paired) == ("pass", "paired", 1250)
    assert effects(found)[:2] == (0.9, 0.82)
    assert found.base is not None
    assert "today's data" in str(found.base.source)
    assert open_store(repo.project()) is not None

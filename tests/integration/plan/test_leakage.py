"""`training-rows` from the file to the verdict, on a real repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci.config import parse_config
from mlops_ci.errors import ConfigError, UsageError
from mlops_ci.plan import Context, Occasion, execute, plan_project
from mlops_ci.plan.outcome import ModelOutcome
from tests.integration.repositories import Repository, make_repository

CONFIG = """
tracking-uri: none
models:
  churn:
    train: python train.py
    predictions: out/predictions.csv
    training-rows: out/train.csv
    task: binary
    gates:
      leakage: {max: 0}
      accuracy: {max-drop: 0.05}
"""
TRAIN = """
shared = int(open("shared.txt").read())
with open("out/train.csv", "w") as file:
    file.write("id\\n" + "".join(f"{i}\\n" for i in range(1000 - shared, 2000)))
with open("out/predictions.csv", "w") as file:
    file.write("id,label,prediction\\n")
    for i in range(1000):
        file.write(f"{i},{i % 2},{i % 2 if i % 10 else 1 - i % 2}\\n")
"""
FILES = {
    "mlops-ci.yaml": CONFIG,
    "train.py": TRAIN,
    "shared.txt": "0\n",
    ".gitignore": "/out/\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    repo.commit(FILES, "adopt mlops-ci")
    repo.push()
    repo.branch("idea")
    return repo


def run(repo: Repository) -> ModelOutcome:
    project = repo.project()
    (model,) = execute(plan_project(project, Occasion()), Context(project, timeout=120)).models
    return model


def test_one_shared_row_fails_the_gate(repo: Repository) -> None:
    repo.commit({"shared.txt": "3\n"})
    found = run(repo).comparison
    assert found is not None
    assert (found.verdict, found.blocks) == ("fail", True)
    (gate,) = (one for one in found.gates if one.metric == "leakage")
    assert (gate.estimate, gate.verdict) == (0.003, "fail")
    assert found.notes[0].startswith("Leakage: 3 of the 1,000 evaluation rows (0.3 %) are among")
    assert found.primary == "accuracy"


def test_no_shared_row_passes_without_a_word(repo: Repository) -> None:
    repo.commit({"train.py": TRAIN + "\n"})
    found = run(repo).comparison
    assert found is not None
    assert found.verdict == "pass"
    assert not any("Leakage" in note for note in found.notes)


def test_without_a_gate_it_warns(repo: Repository) -> None:
    ungated = CONFIG.replace("      leakage: {max: 0}\n", "")
    repo.git("checkout", "-q", "main")
    repo.commit({"mlops-ci.yaml": ungated})
    repo.push()
    repo.git("checkout", "-q", "-B", "idea")
    repo.commit({"shared.txt": "1000\n"})
    found = run(repo).comparison
    assert found is not None
    assert found.verdict == "pass"
    assert "1,000 of the 1,000 evaluation rows (100 %)" in found.notes[0]


def test_head_cannot_look_away(repo: Repository) -> None:
    """Base names the file and gates it: head that names none is asked for it all the same."""
    silent = CONFIG.replace("    training-rows: out/train.csv\n", "").replace(
        "      leakage: {max: 0}\n", ""
    )
    repo.commit({"mlops-ci.yaml": silent, "shared.txt": "5\n"})
    found = run(repo).comparison
    assert found is not None
    assert found.verdict == "fail"
    lost = TRAIN.replace(
        'with open("out/train.csv", "w") as file:\n', "if False:\n    file = None\n"
    )
    (repo.folder / "out/train.csv").unlink()
    repo.commit({"train.py": lost})
    outcome = run(repo)
    assert isinstance(outcome.error, UsageError)
    assert "train.csv" in str(outcome.error)


def test_head_cannot_name_other_training_rows(repo: Repository) -> None:
    """The rows of both files count, and a reader is told."""
    other = CONFIG.replace("training-rows: out/train.csv", "training-rows: ./out/none.csv")
    spared = TRAIN + 'open("out/none.csv", "w").write("id\\n-1\\n")\n'
    repo.commit({"mlops-ci.yaml": other, "shared.txt": "5\n", "train.py": spared})
    found = run(repo).comparison
    assert found is not None
    (gate,) = (one for one in found.gates if one.metric == "leakage")
    assert (found.verdict, gate.estimate) == ("fail", 0.005)
    told = "training-rows: out/train.csv becomes out/none.csv (the rows of both count until this"
    assert any(change.startswith(told) for change in found.changes), found.changes


def test_evaluation_rows_that_main_was_trained_on_are_told(repo: Repository) -> None:
    """Main was trained on 1000 … 1999; head moves 200 of these into the evaluation rows."""
    moved = TRAIN.replace("range(1000 - shared, 2000)", "range(1200, 2000)")
    moved = moved.replace("for i in range(1000):", "for i in range(1200):")
    repo.commit({"train.py": moved})
    found = run(repo).comparison
    assert found is not None
    (leak,) = (one for one in found.metrics if one.metric == "leakage")
    assert (leak.head, leak.base) == (0.0, 200 / 1200)
    told = "Leakage: 200 of the 1,200 evaluation rows (16.7 %) are among the rows that main's model"
    assert any(note.startswith(told) for note in found.notes), found.notes
    again = run(repo).comparison  # out of the records of the first run
    assert again is not None
    assert any(note.startswith(told) for note in again.notes), again.notes


@pytest.mark.parametrize(
    "limit", ["{max-drop: 0.1}", "{min: 0.5}", "{max: 0, slice: region=north}"]
)
def test_leakage_has_a_ceiling_and_nothing_else(limit: str) -> None:
    text = CONFIG.replace("{max: 0}", limit)
    with pytest.raises(ConfigError, match="share of all rows"):
        parse_config(text)

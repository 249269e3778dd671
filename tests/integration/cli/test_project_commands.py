"""The commands as a person types them, in a real project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.cli.program import run_program
from mlops_ci.config import load_config
from tests.integration.plan.test_run import CONFIG, FILES
from tests.integration.repositories import IDENTITY, Repository, make_repository


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    repo = make_repository(tmp_path)
    repo.commit(FILES)
    repo.push()
    repo.branch("idea")
    repo.commit({"params.yaml": "right: 0.7\n"})
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(repo.folder)
    return repo


def as_json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_run_says_what_is_wrong_and_exits_with_one(
    repo: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["run"]) == 1
    said = capsys.readouterr().out
    assert "churn" in said
    assert "accuracy" in said
    assert run_program(["run", "--json"]) == 1
    found = as_json(capsys)
    assert found["exit_code"] == 1
    assert found["models"][0]["comparison"]["verdict"] == "fail"
    assert repo.git("status", "--porcelain") == ""


def test_the_steps_one_by_one_come_to_the_same(
    repo: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["train"]) == 0
    assert run_program(["evaluate"]) == 0
    assert run_program(["compare"]) == 1
    path = repo.project().records.file("churn", repo.git("rev-parse", "HEAD"), "compare")
    by_steps = json.loads(path.read_text())
    assert run_program(["run"]) == 1
    by_run = json.loads(path.read_text())
    for found in (by_steps, by_run):
        found["base"].pop("source")
    assert by_steps == by_run
    capsys.readouterr()


def test_compare_before_evaluate_says_what_to_do(
    repo: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    del repo
    assert run_program(["compare"]) == 3
    assert "mlops-ci evaluate" in capsys.readouterr().err


def test_base_is_trained_and_evaluated_when_it_is_named(
    repo: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["train", "--base", "main", "--json"]) == 0
    head, base = as_json(capsys)[0]
    assert (head["commit"], base["commit"]) == (
        repo.git("rev-parse", "HEAD"),
        repo.git("rev-parse", "main"),
    )
    assert run_program(["evaluate", "--base", "main", "--json"]) == 0
    assert len(as_json(capsys)[0]) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "--model", "nope"], 2, "choose one of: churn"),
        (["run", "--base", "nope"], 2, "no such commit"),
        (["run", "--port", "80"], 2, "mlops-ci deploy"),
        (["compare", "--min", "auc=0.5"], 2, "belongs to the comparison of two files"),
        (["reproduce", "nope"], 2, "no commit"),
    ],
)
def test_what_cannot_be_is_said(
    repo: Repository,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    del repo
    assert run_program(arguments) == code
    assert words in capsys.readouterr().err


def test_a_failed_training_shows_its_last_words(
    repo: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.write({"train.py": "raise SystemExit('no such column: age')"})
    assert run_program(["run"]) == 6
    assert "no such column: age" in capsys.readouterr().err
    assert run_program(["run", "--json"]) == 6
    error = as_json(capsys)["models"][0]["error"]
    assert (error["exit_code"], error["step"]) == (6, "train")


def test_reproduce_says_bit_equal_or_differs(
    repo: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    run_program(["run"])
    capsys.readouterr()
    assert run_program(["reproduce", "HEAD"]) == 0
    assert "bit-equal" in capsys.readouterr().out
    path = repo.project().records.file("churn", repo.git("rev-parse", "HEAD"), "evaluate")
    path.write_text(path.read_text().replace('"cost": 0.3', '"cost": 0.4'))
    assert run_program(["reproduce", "HEAD"]) == 1
    assert "DIFFERS" in capsys.readouterr().out


def test_a_commit_that_nobody_recorded_is_trained_all_the_same(
    repo: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repo.folder.is_dir()
    assert run_program(["reproduce", "HEAD"]) == 3
    said = capsys.readouterr().out
    assert "nothing was recorded of it here" in said
    assert "accuracy  0.7" in said


def test_doctor_is_content_or_says_what_to_do(
    repo: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "✅ base: main at" in said
    assert "mlops-ci init" in said
    repo.write({"mlops-ci.yaml": CONFIG + "    data: [absent]\n"})
    assert run_program(["doctor", "--json"]) == 2
    states = {line["what"]: line["state"] for line in as_json(capsys)}
    assert states["churn: data"] == "bad"


def test_doctor_looks_at_what_ships_and_at_the_token(
    repo: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ships = "    image: 127.0.0.1:1/acme/churn\n    deploy: {target: docker, port: 8080}\n"
    repo.write({"mlops-ci.yaml": CONFIG + ships})
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-nobody-may-see")
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert run_program(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "⚠️  docker: no Docker engine answers" in said
    assert "⚠️  registry of 127.0.0.1:1/acme/churn: the registry" in said
    assert "⚠️  token: " in said
    assert "a-token-nobody-may-see" not in said


def test_init_writes_what_it_sees_and_overwrites_nothing(
    repo: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.git("rm", "--quiet", "mlops-ci.yaml")
    repo.write({"out/predictions.csv": "id,label\n", "data/rows.csv": "1\n"})
    assert run_program(["init"]) == 0
    (model,) = load_config(repo.folder).models.values()
    assert (model.train, model.predictions) == ("python train.py", "out/predictions.csv")
    assert model.data == ["data/"]
    workflow = repo.folder / ".github/workflows/mlops-ci.yml"
    assert "mlops-ci/mlops-ci" in workflow.read_text()
    workflow.write_text("mine")
    before = (repo.folder / "mlops-ci.yaml").read_text()
    capsys.readouterr()
    assert run_program(["init", "--json"]) == 0
    assert [file["written"] for file in as_json(capsys)] == [False, False, False]
    assert workflow.read_text() == "mine"
    assert (repo.folder / "mlops-ci.yaml").read_text() == before


def test_init_reads_in_the_training_script_what_it_will_write(
    repo: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.git("rm", "--quiet", "mlops-ci.yaml")
    script = """open("/etc/predictions.csv"); open("../preds.csv"); open('./out/preds.jsonl')"""
    repo.write({"train.py": script + '; save("out/metrics.json")'})
    assert run_program(["init"]) == 0
    (model,) = load_config(repo.folder).models.values()
    assert (model.predictions, model.metrics) == ("out/preds.jsonl", "out/metrics.json")
    capsys.readouterr()


def test_a_file_that_training_did_not_write_but_one_beside_it(
    repo: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    config = (repo.folder / "mlops-ci.yaml").read_text()
    repo.write({"mlops-ci.yaml": config.replace(".csv", ".parquet").replace(".json", ".yaml")})
    assert run_program(["run"]) == 6
    assert "beside it lies" in capsys.readouterr().err


@pytest.mark.parametrize(
    "files",
    [{}, {"dvc.yaml": "stages: {a: {cmd: x}}\n"}, {"it's/train.py": "1"}, {"metrics.json": "{}"}],
)
def test_init_always_writes_a_configuration_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    repo = make_repository(tmp_path)
    repo.commit({"README.md": "x", **files})
    monkeypatch.chdir(repo.folder)
    assert run_program(["init"]) == 0
    assert load_config(repo.folder).models
    capsys.readouterr()


def test_outside_a_repository_and_without_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_program(["run"]) == 2
    assert "not a Git repository" in capsys.readouterr().err
    repo = make_repository(tmp_path)
    repo.commit({"README.md": "x"})
    monkeypatch.chdir(repo.folder)
    assert run_program(["run"]) == 2
    assert "mlops-ci init" in capsys.readouterr().err
    repo.commit({"models/b/mlops-ci.yaml": "models: {b: {metrics: m.json}}\n", "models/x": ""})
    assert run_program(["run"]) == 2
    told = capsys.readouterr().err
    assert "but in models/b" in told
    assert "folder: models/b" in told
    (repo.folder / "models/b/mlops-ci.yaml").unlink()
    assert run_program(["run"]) == 2
    assert "mlops-ci init" in capsys.readouterr().err


def test_doctor_in_a_repository_without_a_commit_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = make_repository(tmp_path)
    (repo.folder / "mlops-ci.yaml").write_text("models: {b: {metrics: m.json}}\n")
    monkeypatch.chdir(repo.folder)
    assert run_program(["doctor"]) == 2
    told = capsys.readouterr().out
    assert "repository: this repository has no commit yet" in told
    assert "fatal:" not in told


@pytest.mark.parametrize(
    "arguments", [("train", "--timeout", "0"), ("deploy", "--port", "99999"), ("run", "--port=0")]
)
def test_a_number_out_of_its_range_is_refused(
    repo: Repository, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run_program(arguments) == 2
    assert "Invalid value" in capsys.readouterr().err
    assert not (repo.folder / ".mlops-ci").exists()

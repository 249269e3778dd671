"""Base, trained in a worktree: shared data, DVC's cache, its own settings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlops_ci.baseline.commit import Base
from mlops_ci.errors import BaselineError, CommandError
from mlops_ci.plan.base_side import BaseSide, settings_of
from mlops_ci.plan.base_training import Retraining, train_base
from mlops_ci.records import Evaluation, Training
from mlops_ci.steps.key import training_key
from mlops_ci.steps.tree import WorkTree, dvc_digest, dvc_digest_of
from tests.integration.repositories import Repository, make_repository

CONFIG = """
tracking-uri: none
models:
  churn:
    train: python train.py
    data: [data]
    metrics: out/metrics.json
"""
TRAIN = """
import json, pathlib
rows = pathlib.Path("data/rows.csv").read_text().splitlines()
pathlib.Path("out").mkdir(exist_ok=True)
json.dump({{"sum": sum(map(int, rows)), "auc": {auc}}}, open("out/metrics.json", "w"))
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    repo.commit({"mlops-ci.yaml": CONFIG, "train.py": TRAIN.format(auc=0.8),
                 ".gitignore": "/data/\n/out/\n/inputs/\n"})  # fmt: skip
    repo.write({"data/rows.csv": "1\n2\n"})
    return repo


def train(repo: Repository, base: str) -> BaseSide:
    project = repo.project()
    settings = settings_of(project, "churn", Base(base, "main"))
    return train_base(Retraining(project, "churn", settings, timeout=120))


def test_base_is_trained_with_its_own_code_on_the_shared_data(repo: Repository) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.commit({"train.py": TRAIN.format(auc=0.9)})
    repo.write({"train.py": "broken("})
    side = train(repo, base)
    assert side.evaluation.numbers == {"sum": 3.0, "auc": 0.8}
    assert side.evaluation.commit == base
    records = repo.project().records
    assert records.read("churn", base, Evaluation) == side.evaluation
    assert records.read("churn", base, Training).exit_code == 0
    assert (repo.folder / "train.py").read_text() == "broken("
    assert not (repo.folder / "out").exists()
    assert repo.git("worktree", "list").count("\n") == 0


def test_a_file_that_was_not_declared_is_named_with_the_yaml(repo: Repository) -> None:
    base = repo.commit({"train.py": "open('inputs/extra.csv')"})
    repo.write({"inputs/extra.csv": "1"})
    with pytest.raises(BaselineError, match=r"needs inputs/extra\.csv") as error:
        train(repo, base)
    assert "data: [inputs/]" in error.value.fix
    assert error.value.exit_code == 3


def test_a_pull_request_can_declare_what_base_forgot(repo: Repository) -> None:
    """Else every pull request would fail, the one that mends it too."""
    reads = "open('inputs/extra.csv')\nopen('inputs2/more.csv')\n"
    ignored = {".gitignore": "/data/\n/out/\n/inputs/\n/inputs2/\n"}
    base = repo.commit({"train.py": reads + TRAIN.format(auc=0.8), **ignored})
    repo.write({"inputs/extra.csv": "1", "inputs2/more.csv": "2"})
    entries = "[data, inputs/, inputs2/more.csv]"
    repo.commit({"mlops-ci.yaml": CONFIG.replace("[data]", entries)})
    side = train(repo, base)
    assert side.evaluation.numbers["auc"] == 0.8
    assert [note.split(",")[0] for note in side.notes] == [
        "base reads inputs/",
        "base reads inputs2/more.csv",
    ]


def test_what_base_has_of_its_own_head_cannot_replace(repo: Repository) -> None:
    base = repo.commit(
        {"numbers/a": "0.8", "train.py": TRAIN.format(auc="float(open('numbers/a').read())")}
    )
    repo.commit({"mlops-ci.yaml": CONFIG.replace("[data]", "[data, numbers]")})
    repo.write({"numbers/a": "0.1"})
    side = train(repo, base)
    assert (side.evaluation.numbers["auc"], side.notes) == (0.8, ())


def test_a_base_that_fails_is_the_users_failure(repo: Repository) -> None:
    base = repo.commit({"train.py": "raise SystemExit('no such column')"})
    with pytest.raises(CommandError, match=f"base {base[:12]}.*exit code 1") as error:
        train(repo, base)
    assert "no such column" in str(error.value)
    log = repo.project().records.of("churn", base) / "train.log"
    assert "no such column" in log.read_text()


def test_a_training_that_writes_into_the_shared_data_is_found_out(repo: Repository) -> None:
    base = repo.commit(
        {"train.py": TRAIN.format(auc=1) + "\nopen('data/rows.csv', 'a').write('3')"}
    )
    with pytest.raises(BaselineError, match=r"wrote into rows\.csv"):
        train(repo, base)


def test_base_sees_no_key(repo: Repository) -> None:
    base = repo.commit(
        {
            "train.py": "import os, json\n"
            + TRAIN.format(auc="float(any('s3cr3t' in v for v in os.environ.values()))")
        }
    )
    repo.environ["GITHUB_TOKEN"] = repo.environ["INPUT_TOKEN"] = "s3cr3t"
    assert train(repo, base).evaluation.numbers["auc"] == 0.0


def dvc(repo: Repository, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=repo.folder, env=repo.environ, capture_output=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture
def with_dvc(repo: Repository) -> Repository:
    """Base's data is in DVC's cache alone; head has changed it."""
    dvc(repo, "init", "--quiet")
    repo.write({".gitignore": "/out/\n"})
    dvc(repo, "add", "--quiet", "data/rows.csv")
    repo.commit({"mlops-ci.yaml": CONFIG.replace("[data]", "[data/rows.csv]")})
    return repo


def test_data_of_dvc_is_bases_own_version_out_of_the_shared_cache(with_dvc: Repository) -> None:
    repo = with_dvc
    base = repo.git("rev-parse", "HEAD")
    repo.write({"data/rows.csv": "10\n20\n"})
    dvc(repo, "add", "--quiet", "data/rows.csv")
    repo.commit({}, "newer data")
    assert train(repo, base).evaluation.numbers["sum"] == 3.0
    assert (repo.folder / "data/rows.csv").read_text() == "10\n20\n"


def test_data_that_dvc_has_lost_is_an_error(with_dvc: Repository) -> None:
    repo = with_dvc
    base = repo.git("rev-parse", "HEAD")
    import shutil

    shutil.rmtree(repo.folder / ".dvc/cache")
    with pytest.raises(BaselineError, match="cannot be brought by DVC") as error:
        train(repo, base)
    assert "dvc fetch" in error.value.fix


def test_a_pipeline_is_reproduced_and_its_cache_is_shared(with_dvc: Repository) -> None:
    repo = with_dvc
    repo.write({
        "dvc.yaml": """
            stages:
              sum:
                cmd: python train.py && echo run >> {count}
                deps: [data/rows.csv, train.py]
                metrics: [out/metrics.json: {cache: false}]
            """.replace("{count}", str(repo.folder.parent / "count")),
        "mlops-ci.yaml": "tracking-uri: none\nmodels: {churn: {dvc: [sum], metrics: out/metrics.json}}\n",
        ".gitignore": "",
    })  # fmt: skip
    dvc(repo, "repro", "--quiet")
    base = repo.commit({}, "pipeline")
    repo.commit({"train.py": TRAIN.format(auc=0.9)})
    counted = (repo.folder.parent / "count").read_text()
    side = train(repo, base)
    assert side.evaluation.numbers == {"sum": 3.0, "auc": 0.8}
    assert (repo.folder.parent / "count").read_text() == counted, "the run cache was not used"


def test_data_that_was_edited_after_dvc_add_has_a_key_of_its_own(with_dvc: Repository) -> None:
    """Head is what lies in the work tree, not what the pointer says."""
    repo = with_dvc

    def key() -> str:
        project = repo.project()
        return training_key(project, "churn", WorkTree(project)).data["data/rows.csv"]

    assert key().startswith("dvc:")
    repo.write({"data/rows.csv": "1\n2\n99\n"})
    assert key().startswith("sha256:")


def test_the_digest_of_a_folder_is_dvcs(with_dvc: Repository) -> None:
    repo = with_dvc
    repo.write({"many/b.csv": "b", "many/a/ä.csv": "a", "many/a-1.csv": "c", "many/Z": ""})
    dvc(repo, "add", "--quiet", "many")
    pointer = (repo.folder / "many.dvc").read_bytes()
    assert dvc_digest_of(repo.folder / "many") == dvc_digest(pointer)

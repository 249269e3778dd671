"""A container action: we are root, the workspace belongs to somebody else."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_ci.baseline.commit import Asked
from mlops_ci.plan import Context, Occasion, execute, plan_project
from tests.integration.repositories import Repository, make_repository

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else"),
    pytest.mark.skipif(
        not Path("/usr/bin/python3").exists(), reason="needs a Python for all users"
    ),
]
CONFIG = """
tracking-uri: none
models:
  churn:
    train: /usr/bin/python3 train.py
    data: [data]
    metrics: out/metrics.json
    gates: {auc: {max-drop: 0.5, accept: point}}
"""
TRAIN = """
import json, os, pathlib
pathlib.Path("data/rows.csv").read_text()
keys = [name for name in os.environ if name.startswith(("INPUT_", "GITHUB_", "ACTIONS_"))]
seen = {"uid": os.getuid(), "keys": len(keys), "socket": int(os.access("/var/run/docker.sock", os.W_OK))}
json.dump({**seen, "auc": AUC}, open("out/metrics.json", "w"))
"""
OWNER = 1234


@pytest.fixture
def repo() -> Iterator[Repository]:
    place = Path(tempfile.mkdtemp(prefix="mlops-ci-root-"))
    place.chmod(0o755)
    repo = make_repository(place)
    repo.commit({"mlops-ci.yaml": CONFIG, "train.py": TRAIN.replace("AUC", "0.8"),
                 ".gitignore": "/data/\n/out/\n"})  # fmt: skip
    repo.push()
    repo.branch("idea")
    repo.commit({"train.py": TRAIN.replace("AUC", "0.9")})
    repo.write({"data/rows.csv": "1\n"})
    repo.environ |= {"GITHUB_ACTIONS": "true", "INPUT_TOKEN": "s3cr3t", "GITHUB_TOKEN": "s3cr3t",
                     "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory",
                     "GIT_CONFIG_VALUE_0": "*"}  # fmt: skip
    yield repo
    shutil.rmtree(place)


@pytest.mark.parametrize("owner", [OWNER, 0])
def test_head_and_base_are_trained_without_our_rights_and_leave_no_roots_files(
    repo: Repository, owner: int
) -> None:
    for folder, names, files in os.walk(repo.folder):
        for name in (".", *names, *files):
            os.chown(Path(folder) / name, owner, owner, follow_symlinks=False)
    project = repo.project()
    outcomes = execute(plan_project(project, Occasion(Asked())), Context(project, timeout=60))
    (model,) = outcomes.models
    assert model.error is None, str(model.error)
    assert outcomes.exit_code == 0
    assert model.evaluation is not None
    assert model.base_evaluation is not None
    for evaluation in (model.evaluation, model.base_evaluation):
        assert evaluation.numbers["keys"] == 0
        assert evaluation.numbers["uid"] == (owner or 65534)
        assert evaluation.numbers["socket"] == 0
    strangers = {path for path in repo.folder.rglob("*") if path.lstat().st_uid != owner}
    assert strangers == set()
    assert json.loads((repo.folder / "out/metrics.json").read_text())["auc"] == 0.9


PREDICT = """
import csv, json, os
assert not [name for name in os.environ if name.startswith(("INPUT_", "GITHUB_", "ACTIONS_"))]
rows = [line.split(",") for line in open("data/rows.csv").read().split()]
with open("out/predictions.csv", "w") as file:
    file.write("id,label,prediction,uid\\n")
    for key, label in rows:
        file.write(f"{key},{label},{label},{os.getuid()}\\n")
"""
ASKED = """
tracking-uri: none
models:
  churn:
    train: mkdir -p out && echo CUT > out/model
    predict: /usr/bin/python3 predict.py
    data: [data]
    model: out/model
    predictions: out/predictions.csv
    columns: {values: [uid]}
    task: binary
    gates: {accuracy: {max-drop: 0.5}}
"""


def answers(count: int) -> str:
    return "".join(f"{n},{n % 2}\n" for n in range(count))


def test_bases_model_answers_heads_rows_without_our_rights(repo: Repository) -> None:
    repo.git("checkout", "--quiet", "main")
    repo.commit({"mlops-ci.yaml": ASKED, "predict.py": PREDICT, "data/rows.csv": answers(200),
                 ".gitignore": "/out/\n"})  # fmt: skip
    repo.push()
    repo.branch("rows")
    repo.commit({"data/rows.csv": answers(300), "mlops-ci.yaml": ASKED.replace("CUT", "2")})
    for folder, names, files in os.walk(repo.folder):
        for name in (".", *names, *files):
            os.chown(Path(folder) / name, OWNER, OWNER, follow_symlinks=False)
    project = repo.project()
    (model,) = execute(
        plan_project(project, Occasion(Asked())), Context(project, timeout=60)
    ).models
    assert model.error is None, str(model.error)
    found = model.comparison
    assert found is not None
    assert (found.rows.paired, found.evidence) == (300, "paired")
    assert {one.base for one in found.metrics if one.metric == "uid"} == {float(OWNER)}
    assert {path for path in repo.folder.rglob("*") if path.lstat().st_uid != OWNER} == set()

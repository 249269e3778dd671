"""Outputs that lead elsewhere: as root we could read what the command could not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlops_ci.engines.links import refuse_links
from mlops_ci.errors import CommandError, ConfigError
from mlops_ci.records import Training
from mlops_ci.steps.answers import Asking, Way
from mlops_ci.steps.evaluate import evaluate, open_predictions
from mlops_ci.steps.key import training_key
from mlops_ci.steps.requests import EvaluateRequest, TrainRequest
from mlops_ci.steps.train import train
from mlops_ci.steps.tree import WorkTree
from tests.integration.repositories import Repository, make_repository

ROWS = "id,label,score\n1,1,0.9\n2,0,0.1\n"
CONFIG = """
tracking-uri: none
models:
  churn:
    {train}
    predictions: out/predictions.csv
    metrics: out/metrics.json
    model: out/model
"""
TRAIN = """\
mkdir -p out/model
echo 1 > out/model/weights
echo '{"auc": 0.9}' > out/metrics.json
ln -s "$SECRET_PLACE" out/predictions.csv
"""
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what others may not")


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """In a job whose checkout is root's, so that commands run as nobody."""
    repo = make_repository(tmp_path)
    train = "train: sh train.sh\n    secrets: [SECRET_PLACE]"
    files = {"mlops-ci.yaml": CONFIG.format(train=train), "train.sh": TRAIN, ".gitignore": "out/\n"}
    repo.commit(files, "one")
    repo.environ |= {"GITHUB_ACTIONS": "true", "SECRET_PLACE": str(tmp_path / "secret.csv")}
    (tmp_path / "secret.csv").write_text(ROWS)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    return repo


@root_only
def test_a_training_cannot_have_a_strangers_file_read(repo: Repository) -> None:
    with pytest.raises(CommandError, match=r"predictions.csv leads to .*secret.csv, which is not"):
        train(repo.project(), "churn", TrainRequest(60))
    commit = repo.git("rev-parse", "HEAD")
    record = repo.project().records.read("churn", commit, Training)
    assert record.outputs == {}, "not even its digest is told"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("mkfifo out/predictions.csv", "neither a file nor a folder"),
        ("ln -s predictions.csv out/predictions.csv", "did not write out/predictions.csv"),
    ],
)
def test_what_cannot_be_read_is_the_commands_failure(
    repo: Repository, made: str, said: str
) -> None:
    script = TRAIN.replace('ln -s "$SECRET_PLACE" out/predictions.csv', made)
    repo.commit({"train.sh": script})
    with pytest.raises(CommandError, match=said):
        train(repo.project(), "churn", TrainRequest(60))


@root_only
@pytest.mark.parametrize("path", ["out/predictions.csv", "out/metrics.json", "out/model/weights"])
def test_nor_can_a_step_before_or_a_commit(repo: Repository, path: str, tmp_path: Path) -> None:
    repo.commit({"mlops-ci.yaml": CONFIG.format(train="task: binary")})
    repo.write({"out/predictions.csv": ROWS, "out/metrics.json": "{}", "out/model/weights": "1"})
    (repo.folder / path).unlink()
    (repo.folder / path).symlink_to(tmp_path / "secret.csv")
    with pytest.raises(CommandError, match="which is not yours"):
        evaluate(repo.project(), "churn", EvaluateRequest())


@root_only
def test_links_to_files_of_its_own_are_followed(repo: Repository, tmp_path: Path) -> None:
    repo.write({"out/real.csv": ROWS})
    (repo.folder / "out/inside.csv").symlink_to("real.csv")
    cached = tmp_path / "cached.csv"
    cached.write_text(ROWS)
    os.chown(cached, 65534, 65534)
    (repo.folder / "out/cached.csv").symlink_to(cached)
    refuse_links(repo.project(), ["out/inside.csv", "out/cached.csv", "out/missing.csv"])


def test_on_a_laptop_links_lead_where_their_owner_wants(repo: Repository, tmp_path: Path) -> None:
    del repo.environ["GITHUB_ACTIONS"]
    repo.write({"out/real.csv": ROWS})
    (repo.folder / "out/predictions.csv").symlink_to(tmp_path / "secret.csv")
    refuse_links(repo.project(), ["out/predictions.csv"])


def test_a_pipe_is_not_read(repo: Repository) -> None:
    repo.write({"out/real.csv": ROWS})
    os.mkfifo(repo.folder / "out/predictions.csv")
    with pytest.raises(CommandError, match="neither a file nor a folder"):
        refuse_links(repo.project(), ["out/predictions.csv"])


@pytest.mark.parametrize("name", ["mlops-ci.yaml", "params.yaml"])
def test_settings_do_not_lead_out_of_the_repository(
    repo: Repository, name: str, tmp_path: Path
) -> None:
    (tmp_path / "stranger.yaml").write_text((repo.folder / "mlops-ci.yaml").read_text())
    (repo.folder / name).unlink(missing_ok=True)
    (repo.folder / name).symlink_to(tmp_path / "stranger.yaml")
    with pytest.raises(ConfigError, match="leads out of the repository"):
        training_key(repo.project(), "churn", WorkTree(repo.project()))


@root_only
def test_a_model_that_is_asked_cannot_have_a_strangers_file_read(repo: Repository) -> None:
    predict = """predict: ln -s "$SECRET_PLACE" "$MLOPS_CI_PREDICTIONS"
    secrets: [SECRET_PLACE]"""
    repo.commit({"mlops-ci.yaml": CONFIG.format(train=predict)})
    repo.write({"out/predictions.csv": ROWS, "rows.csv": ROWS})
    project = repo.project()
    model = project.model("churn")
    used = open_predictions(project.root / "out/predictions.csv", model)
    asking = Asking(project, "churn", model, used, "rescore", Way(timeout=60))
    asking.make_folder()
    with pytest.raises(CommandError, match=r"answers.csv leads to .*secret.csv, which is not"):
        asking.answers(project.root / "rows.csv")

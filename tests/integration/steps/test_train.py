"""`train` with real commands: what it records, what it refuses, what it takes again."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_ci.engines import Echo
from mlops_ci.errors import CommandError, ConfigError, UsageError
from mlops_ci.records import Training
from mlops_ci.steps.key import training_key
from mlops_ci.steps.requests import TrainRequest
from mlops_ci.steps.train import train
from mlops_ci.steps.tree import CommitTree, WorkTree
from tests.integration.repositories import Repository, make_repository
from tests.waiting import PATIENCE

CONFIG = """
tracking-uri: none
models:
  churn:
    train: python train.py
    data: [data]
    predictions: out/predictions.csv
    metrics: out/metrics.json
    secrets: [MY_KEY]
"""
TRAIN = """
import json, os, pathlib, yaml
params = yaml.safe_load(open("params.yaml"))
count = pathlib.Path("data/rows.csv").read_text().count("\\n")
pathlib.Path("out/predictions.csv").write_text("id,label,score\\n1,1,0.9\\n2,0,0.1\\n")
pathlib.Path("out/metrics.json").write_text(json.dumps({"auc": params["auc"], "rows": count}))
pathlib.Path("runs.txt").open("a").write(os.environ["MLOPS_CI_RUN_ID"] + "\\n")
print("::set-output name=verdict::pass")
"""
FILES = {
    "mlops-ci.yaml": CONFIG,
    "train.py": TRAIN,
    "params.yaml": "auc: 0.9\nmodel: {depth: 3}\n",
    ".gitignore": "out/\ndata/\nruns.txt\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    repo.commit(FILES, "one")
    repo.push()
    repo.write({"data/rows.csv": "1\n2\n"})
    return repo


def run(repo: Repository, echo: Echo | None = None, timeout: float | None = PATIENCE) -> Training:
    return train(repo.project(), "churn", TrainRequest(timeout, echo))


def runs(repo: Repository) -> int:
    return len((repo.folder / "runs.txt").read_text().splitlines())


def test_the_record_says_what_ran_on_what(repo: Repository) -> None:
    seen: list[bytes] = []
    record = run(repo, seen.append)
    assert record.exit_code == 0
    assert record.commit == repo.git("rev-parse", "HEAD")
    assert record.command == ["python train.py"]
    assert record.parameters == {"auc": 0.9, "model.depth": 3}
    assert set(record.outputs) == {"out/predictions.csv", "out/metrics.json"}
    assert record.data["data"].startswith("sha256:")
    assert record.key is not None
    assert record.key.startswith("sha256:")
    assert record.run_id in (repo.folder / "runs.txt").read_text()
    assert b"".join(seen) == b"::set-output name=verdict::pass\n"
    assert record.log is not None
    assert (repo.folder / record.log).read_bytes() == b"".join(seen)
    assert repo.project().records.read("churn", record.commit, Training) == record
    assert repo.git("status", "--porcelain") == ""


def test_an_equal_key_trains_once(repo: Repository) -> None:
    first, second = run(repo), run(repo)
    assert runs(repo) == 1
    assert second.reused == first.commit
    assert second.outputs == first.outputs


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"train.py": TRAIN + "\n# other\n"}, True),
        ({"params.yaml": "auc: 0.8\n"}, True),
        ({"data/rows.csv": "1\n2\n3\n"}, True),
        ({"new_module.py": "x = 1\n"}, True),
        ({"out/metrics.json": '{"auc": 1.0}'}, True),
        ({"README.md": "text\n"}, False),
        ({"mlops-ci.yaml": CONFIG + "    gates: {roc_auc: {max-drop: 0.1}}\n"}, False),
    ],
    ids=["code", "parameters", "data", "new code", "forged output", "text", "gates"],
)
def test_what_is_trained_again(repo: Repository, change: dict[str, str], again: bool) -> None:
    run(repo)
    repo.write(change)
    record = run(repo)
    assert runs(repo) == (2 if again else 1)
    if "out/metrics.json" in change:
        assert json.loads((repo.folder / "out/metrics.json").read_text())["auc"] == 0.9
    edited = set(change) - {"data/rows.csv", "out/metrics.json"}
    untracked_text = "README.md" in change
    assert record.commit.endswith("-dirty") == bool(edited and not untracked_text)


def test_a_commit_has_the_key_of_its_clean_work_tree(repo: Repository) -> None:
    project = repo.project()
    commit = repo.git("rev-parse", "HEAD")
    assert (
        training_key(project, "churn", WorkTree(project)).key
        == training_key(project, "churn", CommitTree(project, commit)).key
    )
    repo.commit({"train.py": TRAIN + "\n# two\n"})
    later = repo.project()
    assert (
        training_key(later, "churn", WorkTree(later)).key
        != training_key(later, "churn", CommitTree(later, commit)).key
    )
    repo.write({"train.py": TRAIN})
    back = repo.project()
    assert (
        training_key(back, "churn", WorkTree(back)).key
        == training_key(back, "churn", CommitTree(back, commit)).key
    )


def test_a_file_mode_and_a_deletion_count(repo: Repository) -> None:
    def key() -> str:
        project = repo.project()
        return training_key(project, "churn", WorkTree(project)).key

    repo.commit({"extra.py": "1\n"})
    before = key()
    (repo.folder / "extra.py").chmod(0o755)
    executable = key()
    (repo.folder / "extra.py").unlink()
    assert len({before, executable, key()}) == 3


def test_a_training_that_fails_leaves_its_code_its_words_and_the_old_files(
    repo: Repository,
) -> None:
    run(repo)
    old = (repo.folder / "out/metrics.json").read_bytes()
    repo.write({"train.py": "import sys; print('no such column: age'); sys.exit(3)"})
    with pytest.raises(CommandError, match="exit code 3") as error:
        run(repo)
    assert error.value.code == 3
    assert "no such column: age" in str(error.value)
    assert error.value.exit_code == 6
    assert (repo.folder / "out/metrics.json").read_bytes() == old
    project = repo.project()
    record = project.records.read("churn", project.commit, Training)
    assert (record.exit_code, record.outputs) == (3, {})


def test_a_failed_training_is_not_taken_again(repo: Repository) -> None:
    repo.write({"train.py": TRAIN + "\nraise SystemExit(1)\n"})
    for _ in range(2):
        with pytest.raises(CommandError):
            run(repo)
    assert runs(repo) == 2


def test_a_training_that_hangs_is_ended(repo: Repository) -> None:
    repo.write({"train.py": "import time; print('epoch 1', flush=True); time.sleep(600)"})
    for limit in (1.5, 15, 150):  # until it is one in which a busy machine starts it
        with pytest.raises(CommandError, match="ran out of time") as error:
            run(repo, timeout=limit)
        if error.value.tail:
            break
    assert "timeout: SECONDS" in error.value.fix
    assert "epoch 1" in error.value.tail
    assert "epoch 1" in str(error.value)
    project = repo.project()
    record = project.records.read("churn", project.commit, Training)
    assert (record.exit_code, record.signal, record.outputs) == (None, None, {})


def test_a_killed_training_names_the_signal(repo: Repository) -> None:
    repo.write({"train.py": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"})
    with pytest.raises(CommandError, match=r"signal 9 \(SIGKILL\)") as error:
        run(repo)
    assert "memory" in error.value.fix
    project = repo.project()
    assert project.records.read("churn", project.commit, Training).signal == 9


def test_files_of_an_earlier_run_do_not_pass(repo: Repository) -> None:
    run(repo)
    repo.write({"train.py": "print('did nothing')"})
    with pytest.raises(CommandError, match=r"did not write out/predictions\.csv"):
        run(repo)
    assert (repo.folder / "out/metrics.json").exists()


def test_a_tracked_output_has_to_be_written_anew(repo: Repository) -> None:
    run(repo)
    repo.git("add", "-f", "out")
    repo.git("commit", "--quiet", "-m", "outputs in Git")
    repo.write({"train.py": "print('did nothing')"})
    with pytest.raises(CommandError, match="that was there before"):
        run(repo)
    repo.write({"train.py": TRAIN})
    repo.write({"params.yaml": "auc: 0.7\n"})
    assert run(repo).exit_code == 0


def test_training_finds_no_key_but_its_own(repo: Repository) -> None:
    repo.environ |= {"GITHUB_TOKEN": "s3cr3t", "INPUT_TOKEN": "s3cr3t", "MY_KEY": "mine",
                     "GITHUB_OUTPUT": str(repo.folder / "output")}  # fmt: skip
    repo.write(
        {
            "train.py": "import json, os; json.dump(dict(os.environ), open('runs.txt', 'w'))\n"
            + TRAIN.replace("runs.txt", "out/r")
        }
    )
    run(repo)
    text = (repo.folder / "runs.txt").read_text()
    assert "s3cr3t" not in text
    assert "GITHUB_OUTPUT" not in text
    assert json.loads(text)["MY_KEY"] == "mine"
    assert not (repo.folder / "output").exists()


def test_a_configuration_cannot_ask_for_the_token(repo: Repository) -> None:
    repo.write({"mlops-ci.yaml": CONFIG.replace("MY_KEY", "GITHUB_TOKEN")})
    with pytest.raises(ConfigError, match="GITHUB_TOKEN"):
        run(repo)


def test_missing_data_is_named(repo: Repository) -> None:
    repo.git("clean", "-fdxq")
    with pytest.raises(UsageError, match="there is no 'data'"):
        run(repo)


def test_without_a_command_the_files_are_recorded_as_they_are(repo: Repository) -> None:
    repo.write({"mlops-ci.yaml": CONFIG.replace("    train: python train.py\n", ""),
                "out/predictions.csv": "id,label,score\n", "out/metrics.json": "{}"})  # fmt: skip
    record = run(repo)
    assert (record.key, record.exit_code, record.command) == (None, None, [])
    assert set(record.outputs) == {"out/predictions.csv", "out/metrics.json"}


def test_records_under_version_control_are_refused(repo: Repository) -> None:
    repo.write({".mlops-ci/churn/x/evaluate.json": "{}"})
    repo.git("add", "-f", ".mlops-ci")
    with pytest.raises(ConfigError, match="under version control"):
        repo.project()


def test_a_project_below_the_top_of_its_repository(tmp_path: Path) -> None:
    repo = make_repository(tmp_path)
    repo.commit({f"models/churn/{name}": text for name, text in FILES.items()})
    repo.write({"models/churn/data/rows.csv": "1\n"})
    project = repo.project("models/churn")
    assert project.prefix == "models/churn/"
    first = train(project, "churn", TrainRequest(60))
    repo.commit({"elsewhere.py": "1\n"})
    second = train(repo.project("models/churn"), "churn", TrainRequest(60))
    assert second.reused == first.commit


def test_requirements_make_an_environment_that_python_is_found_in(
    repo: Repository, tmp_path: Path
) -> None:
    """A package of this test, installed by uv without any index."""
    wheel_source = tmp_path / "tiny"
    (wheel_source / "tiny_words").mkdir(parents=True)
    (wheel_source / "tiny_words/__init__.py").write_text("WORD = 'hello'\n")
    (wheel_source / "pyproject.toml").write_text(
        '[project]\nname = "tiny-words"\nversion = "1"\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (wheel_source / "backend.py").write_text(BACKEND)
    repo.environ["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    repo.write({
        "requirements.txt": f"tiny-words @ {wheel_source.as_uri()}\n",
        "train.py": "import tiny_words, sys\nopen('runs.txt', 'w').write(tiny_words.WORD + sys.prefix)\n"
        "open('out/predictions.csv', 'w').write('x')\nopen('out/metrics.json', 'w').write('{}')\n",
    })  # fmt: skip
    record = run(repo)
    assert record.environment is not None
    assert record.environment.lock == "requirements.txt"
    said = (repo.folder / "runs.txt").read_text()
    assert said.startswith(f"hello{tmp_path}/cache/mlops-ci/environments/")
    assert len(list((tmp_path / "cache/mlops-ci/environments").glob("*/bin"))) == 1
    repo.write({"requirements.txt": "no-such-package-of-ours @ file:///nowhere\n"})
    with pytest.raises(CommandError, match="environment could not be made"):
        run(repo)


BACKEND = """
import pathlib, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "tiny_words-1-py3-none-any.whl"
    info = "tiny_words-1.dist-info"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as file:
        file.writestr("tiny_words/__init__.py", "WORD = 'hello'")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: tiny-words\\nVersion: 1\\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        file.writestr(f"{info}/RECORD", "")
    return name
"""


def test_a_named_requirements_file_that_is_missing(repo: Repository) -> None:
    repo.write({"mlops-ci.yaml": CONFIG + "    requirements: nope.txt\n"})
    with pytest.raises(ConfigError, match=r"nope\.txt"):
        run(repo)


def test_the_identity_of_a_run_is_its_own(repo: Repository) -> None:
    first = run(repo)
    second = train(repo.project(), "churn", replace(TrainRequest(60), reuse=False))
    assert first.run_id != second.run_id
    assert runs(repo) == 2
    assert os.path.exists(repo.folder / "out/metrics.json")  # noqa: PTH110

"""`mlops-ci store`, on a folder and on a Git remote."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.baseline.git_store import REF
from mlops_ci.cli.program import run_program
from tests.github_server.scenario import Story, build
from tests.github_server.server import GitHub
from tests.integration.baseline.test_store import NOW, entry, git, http_place
from tests.integration.repositories import IDENTITY, Repository

ONE = "models: {churn: {train: 'true', predictions: p.csv}}\n"
A, B, C = "a" * 40, "b" * 40, "c" * 40


class Kept:
    """A project whose store holds three entries, `churn` at A and B, `fraud` at C."""

    def __init__(self, repo: Repository, backend: str, place: Path) -> None:
        self.repo, self.place = repo, place
        settings = f"store: {{backend: folder, path: {place}}}\n" if backend == "folder" else ""
        repo.commit({"mlops-ci.yaml": ONE + settings})
        if backend == "git":
            repo.git("push", "--quiet", "origin", "main")

    def fill(self) -> None:
        from mlops_ci.plan.opening import store_here

        store = store_here(self.repo.project())
        store.put(entry(A, "k1", content=b"PAR1 rows of A"))
        store.put(entry(B, "k2"))
        store.put(entry(C, "k3", model="fraud"))

    def bytes(self) -> bytes:
        """Everything that can be reached."""
        if self.place.is_dir():
            files = [path for path in self.place.rglob("*") if path.is_file()]
            return b"".join(path.read_bytes() for path in files)
        names = git(self.repo.origin, "ls-tree", "-r", "--name-only", REF).splitlines()
        return "".join(git(self.repo.origin, "show", f"{REF}:{name}") for name in names).encode()


@pytest.fixture(params=["folder", "git"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    from tests.integration.repositories import make_repository

    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    found = Kept(make_repository(tmp_path), request.param, tmp_path / "kept")
    found.fill()
    monkeypatch.chdir(found.repo.folder)
    return found


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run_program(["store", *arguments])
    said = capsys.readouterr()
    return code, said.out + said.err


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, said = ran(capsys, *arguments, "--json")
    assert code == 0, said
    return json.loads(said)


@pytest.mark.usefixtures("kept")
def test_what_is_kept_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = ran(capsys)
    assert code == 0
    assert said.splitlines()[-1].startswith("3 entries, 0.0 MB; kept for 90 days")
    assert {line.split()[0] for line in said.splitlines()[:-1]} == {"churn", "fraud"}
    assert A[:12] in said
    code, said = ran(capsys, "list", "--model", "fraud")
    assert "1 entry" in said
    found = as_json(capsys, "list", "--commit", A[:7])
    assert [one["commits"] for one in found["entries"]] == [[A]]


def test_what_is_deleted_is_gone_and_the_rest_is_not(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    assert b"PAR1 rows of A" in kept.bytes()
    found = as_json(capsys, "delete", "--commit", A)
    assert found["removed"] == 1
    assert {one["commits"][0] for one in found["entries"]} == {B, C}
    assert b"PAR1 rows of A" not in kept.bytes()
    assert b"PAR1rows" in kept.bytes()
    code, said = ran(capsys, "delete", "--model", "fraud")
    assert (code, said.splitlines()[0]) == (0, "1 entry removed")


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("delete",), "say what is to be deleted"),
        (("delete", "--model", "chrun"), "the store holds churn, fraud"),
        (("delete", "--commit", "d" * 40), "nothing was deleted"),
        (("delete", "--commit", A[:6]), "too short"),
        (("delete", "--model", "fraud", "--commit", A), "nothing was deleted"),
        (("prune", "--model", "churn"), "limits"),
        (("forget",), "forget"),
    ],
)
def test_what_is_not_clear_deletes_nothing(
    capsys: pytest.CaptureFixture[str], asked: tuple[str, ...], words: str
) -> None:
    code, said = ran(capsys, *asked)
    assert code == 2
    assert words in said
    assert len(as_json(capsys)["entries"]) == 3


def test_pruning_goes_by_the_limits(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    assert as_json(capsys, "prune")["removed"] == 0
    settings = (kept.repo.folder / "mlops-ci.yaml").read_text()
    tight = "{max-total-mb: 0.000001"
    changed = (
        settings.replace("store: {", f"store: {tight}, ")
        if "store:" in settings
        else f"{settings}store: {tight}}}\n"
    )
    (kept.repo.folder / "mlops-ci.yaml").write_text(changed)
    found = as_json(capsys, "prune")
    assert found["removed"] == 1, "each model's newest stays"
    assert {one["model"] for one in found["entries"]} == {"churn", "fraud"}


def test_a_job_deletes_by_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The checkout keeps no credentials."""
    scenario = build(tmp_path / "github", Story(main=({"mlops-ci.yaml": ONE},), private=True))
    with_github = GitHub(scenario.root / "repositories", scenario.seed)
    with_github.start()
    try:
        place = http_place(with_github, tmp_path)
        place.store().put(entry(A))
        place.clock.at = NOW + timedelta(days=1)
        checkout = scenario.checkout
        checkout.git("remote", "set-url", "origin", with_github.clone_url("acme/churn"))
        monkeypatch.chdir(checkout.path)
        for name, value in {
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": with_github.url,
            "GITHUB_REPOSITORY": "acme/churn",
            "GITHUB_TOKEN": "read-only-token",
        }.items():
            monkeypatch.setenv(name, value)
        code, said = ran(capsys, "delete", "--model", "churn")
        assert code == 5
        assert "contents: write" in said
        monkeypatch.setenv("GITHUB_TOKEN", "workflow-token")
        assert as_json(capsys, "delete", "--model", "churn")["removed"] == 1
        assert place.store().list() == ()
    finally:
        with_github.stop()


def test_without_an_origin_there_is_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "mlops-ci.yaml").write_text(ONE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    code, said = ran(capsys)
    assert code == 2
    assert "no `origin`" in said

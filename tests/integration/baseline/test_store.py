"""One suite for every shelf: the store's promises do not depend on where it stands."""

from __future__ import annotations

import dataclasses
import os
import random
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from mlops_ci.baseline.folder_store import FolderShelf
from mlops_ci.baseline.git_store import REF, Access, GitShelf, header_of
from mlops_ci.baseline.store import Entry, Header, Shelf, ShelfStore, Wanted, digest_of
from mlops_ci.config import Store as Limits
from mlops_ci.errors import AccessError, BaselineError, ServiceError
from mlops_ci.records import Artifact, Evaluation, Training
from mlops_ci.world import Command, Finished, World, run_subprocess
from tests.github_server.server import GitHub

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@dataclass
class Clock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Place:
    """A shelf's home; `open` gives a shelf as another job on another machine would."""

    open: Callable[[], Shelf]
    corrupt: Callable[[Mapping[str, bytes]], None]
    files: Callable[[], set[str]]
    clock: Clock = field(default_factory=Clock)

    def store(self, **limits: float) -> ShelfStore:
        settings = msgspec.convert({k.replace("_", "-"): v for k, v in limits.items()}, Limits)
        return ShelfStore(self.open(), settings, self.clock, lambda _: None, random.Random(7))


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def folder_place(tmp_path: Path) -> Place:
    home = tmp_path / "store"

    def corrupt(files: Mapping[str, bytes]) -> None:
        assert FolderShelf(home).swap(FolderShelf(home).version(), dict(files))

    def files() -> set[str]:
        top = home / (FolderShelf(home).version() or "")
        return {path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file()}

    return Place(lambda: FolderShelf(home), corrupt, files)


def git_place(tmp_path: Path) -> Place:
    origin = tmp_path / "origin.git"
    origin.mkdir()
    git(origin, "init", "--quiet", "--bare", "-b", "main")
    git(origin, "config", "uploadpack.allowFilter", "true")
    access, world = Access(origin.as_uri()), World(folder=tmp_path)

    def corrupt(files: Mapping[str, bytes]) -> None:
        shelf = GitShelf(access, world)
        assert shelf.swap(shelf.version(), dict(files))

    def files() -> set[str]:
        return set(git(origin, "ls-tree", "-r", "--name-only", REF).splitlines())

    return Place(lambda: GitShelf(access, world), corrupt, files)


def http_place(github: GitHub, tmp_path: Path) -> Place:
    """As in a runner: over HTTP, the workflow's token in a header."""
    access = Access(github.clone_url("acme/churn"), header_of("workflow-token"))
    world = World(folder=tmp_path)

    def corrupt(files: Mapping[str, bytes]) -> None:
        shelf = GitShelf(access, world)
        assert shelf.swap(shelf.version(), dict(files))

    def files() -> set[str]:
        bare = github.state.repository("acme/churn").git.path
        return set(git(bare, "ls-tree", "-r", "--name-only", REF).splitlines())

    return Place(lambda: GitShelf(access, world), corrupt, files)


@pytest.fixture(params=["folder", "git", "http"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "http":
        return http_place(request.getfixturevalue("github"), tmp_path)
    return folder_place(tmp_path) if request.param == "folder" else git_place(tmp_path)


def entry(
    commit: str, key: str = "k1", *, model: str = "churn", content: bytes | None = b"PAR1rows"
) -> Entry:
    artifact = content and Artifact(path="p.parquet", digest=digest_of(content), bytes=len(content))
    return Entry(
        Training(
            model=model, commit=commit, run_id="r", started=NOW.isoformat(), duration_seconds=1.0,
            command=["python train.py"], key=key, exit_code=0,
        ),
        Evaluation(
            model=model, commit=commit, evaluated=NOW.isoformat(), key=key, rows_digest="rows",
            predictions=artifact or None, numbers={"auc": 0.9},
        ),
        content,
    )  # fmt: skip


def test_nothing_is_found_where_nothing_was_put(place: Place) -> None:
    assert place.store().get(Wanted("churn", commit="a")) is None
    assert place.store().list() == ()
    assert place.store().prune() == 0


def test_what_was_put_is_found_by_commit_and_by_key(place: Place) -> None:
    place.store().put(entry("a" * 40))
    by_commit = place.store().get(Wanted("churn", commit="a" * 40))
    by_key = place.store().get(Wanted("churn", commit="b" * 40, key="k1"))
    assert by_commit is not None
    assert by_commit.entry == entry("a" * 40)
    assert by_key == by_commit
    assert place.store().get(Wanted("churn", commit="c", key="other")) is None
    assert place.store().get(Wanted("fraud", commit="a" * 40, key="k1")) is None


def test_the_training_rows_of_a_model_come_back(place: Place) -> None:
    known = dataclasses.replace(entry("a" * 40), training_keys=bytes(range(16)))
    place.store().put(known)
    found = place.store().get(Wanted("churn", commit="a" * 40))
    assert found is not None
    assert found.entry == known


def test_commits_of_one_key_share_an_entry(place: Place) -> None:
    for commit in ("a", "b", "a"):
        place.store().put(entry(commit))
    (header,) = place.store().list("churn")
    assert header.commits == ("a", "b")


def test_an_entry_awaits_its_deployment_until_it_is_settled(place: Place) -> None:
    header = place.store().put(entry("a"), awaits=True)
    place.store().put(entry("b", "k2"), awaits=True)
    place.store().settle(header)
    assert {one.key: one.awaits for one in place.store().list()} == {"k1": False, "k2": True}
    place.store().put(entry("b", "k2"))
    assert not any(one.awaits for one in place.store().list())


def test_the_commit_goes_before_the_key(place: Place) -> None:
    place.store().put(entry("a", "k1", content=b"first"))
    place.clock.at += timedelta(hours=1)
    place.store().put(entry("b", "k2", content=b"second"))
    found = place.store().get(Wanted("churn", commit="a", key="k2"))
    assert found is not None
    assert found.entry.predictions == b"first"


def test_deleting_deletes(place: Place) -> None:
    place.store().put(entry("a", "k1"))
    place.store().put(entry("b", "k2"))
    assert place.store().delete(Wanted("churn", commit="a")) == 1
    assert [header.key for header in place.store().list()] == ["k2"]
    assert len([name for name in place.files() if name.startswith("entries/")]) == 3


def test_the_old_goes_but_each_model_keeps_its_newest(place: Place) -> None:
    place.store().put(entry("a", "k1"))
    place.store().put(entry("f", "k1", model="fraud"))
    place.clock.at += timedelta(days=60)
    place.store().put(entry("b", "k2"))
    place.clock.at += timedelta(days=40)
    assert place.store().prune() == 1
    assert {(one.model, one.key) for one in place.store().list()} == {
        ("churn", "k2"),
        ("fraud", "k1"),
    }
    assert place.store().uses("churn", "rows") == 2  # the ledger outlives what it counted
    assert place.store().delete(Wanted("churn", key="k2")) == 1
    assert place.store().uses("churn", "rows") == 2
    assert place.store().uses("churn", "others") == 0


def test_the_size_is_kept_by_dropping_the_oldest(place: Place) -> None:
    for number in range(5):
        place.clock.at += timedelta(hours=1)
        content = bytes([number]) * 400_000
        place.store(max_total_mb=1.0).put(entry(f"c{number}", f"k{number}", content=content))
    assert [one.key for one in place.store().list()] == ["k3", "k4"]


def test_predictions_over_the_limit_are_left_out_and_it_is_said(place: Place) -> None:
    header = place.store(max_file_mb=0.1).put(entry("a", content=b"x" * 200_000))
    assert header.too_large == 200_000
    found = place.store().get(Wanted("churn", commit="a"))
    assert found is not None
    assert found.entry.predictions is None
    assert found.header.too_large == 200_000


def test_concurrent_puts_lose_nothing(place: Place) -> None:
    errors: list[BaseException] = []

    def put(number: int) -> None:
        try:
            store = ShelfStore(place.open(), Limits(), place.clock, World().sleep)
            store.put(entry(f"c{number}", f"k{number}"))
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {one.key for one in place.store().list()} == {f"k{number}" for number in range(5)}


def test_who_is_late_does_not_win(place: Place) -> None:
    first, second = place.open(), place.open()
    assert first.version() is None
    assert second.version() is None
    assert first.swap(None, {"index.json": b"1"})
    assert not second.swap(None, {"index.json": b"2"})
    version = second.version()
    assert version is not None
    assert second.read(version, {"index.json": 100}) == {"index.json": b"1"}


def test_files_are_read_together_each_under_its_own_limit(place: Place) -> None:
    shelf = place.open()
    files = {"a": b"", "b/c": b"\n1\n", "d e": b"x" * 100}
    assert shelf.swap(shelf.version(), files)
    other = place.open()
    version = other.version()
    assert version is not None
    limits = {"d e": 100, "nothing": 1, "a": 0, "b/c": 3}
    assert other.read(version, limits) == files
    with pytest.raises(BaselineError, match="3 bytes; 2 are allowed"):
        other.read(version, {**limits, "b/c": 2})


def test_a_change_is_made_on_the_newest_state(place: Place) -> None:
    place.store().put(entry("a"))
    store = place.store()
    assert [one.commits for one in store.list()] == [("a",)]
    place.store().put(entry("b", "k2"))
    store.put(entry("c", "k3"))
    assert {one.key for one in store.list()} == {"k1", "k2", "k3"}


def test_what_another_has_deleted_meanwhile_is_looked_for_again(place: Place) -> None:
    place.store().put(entry("a"))
    place.store().put(entry("b", "k2"))
    store = place.store()
    assert len(store.list()) == 2
    place.store().delete(Wanted("churn", commit="a"))
    found = store.get(Wanted("churn", commit="b"))
    assert found is not None
    assert found.entry.predictions == b"PAR1rows"


def test_deleting_leaves_no_byte_behind(tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    place.store().put(entry("a", content=b"PAR1 of somebody who wants to be forgotten"))
    place.store().put(entry("b", "k2"))
    assert place.store().delete(Wanted("churn", commit="a")) == 1
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert not [content for content in kept if b"forgotten" in content]


def test_a_store_that_always_moves_is_an_error_in_the_end(place: Place) -> None:
    @dataclass(frozen=True)
    class Late:
        shelf: Shelf

        @property
        def place(self) -> str:
            return self.shelf.place

        def version(self) -> str | None:
            return self.shelf.version()

        def read(self, version: str, limits: Mapping[str, int]) -> dict[str, bytes]:
            return self.shelf.read(version, limits)

        def swap(self, version: str | None, writes: Mapping[str, bytes | None]) -> bool:
            del version, writes
            return False

    store = ShelfStore(Late(place.open()), Limits(), place.clock, lambda _: None)
    with pytest.raises(ServiceError, match="changed by others"):
        store.put(entry("a"))


def address_of(place: Place) -> Header:
    (header,) = place.store().list()
    return header


def index_with(header: Header) -> bytes:
    return msgspec.json.encode({"schema": "mlops-ci/store/1", "entries": [header]})


@pytest.mark.parametrize(
    "content",
    [b"", b"not json", b"[]", b'{"schema": "mlops-ci/store/9"}', b'{"entries": [{"model": 1}]}', b"\xff"],
)  # fmt: skip
def test_a_broken_index_is_refused(place: Place, content: bytes) -> None:
    place.store().put(entry("a"))
    place.corrupt({"index.json": content})
    with pytest.raises(BaselineError, match="cannot be trusted"):
        place.store().get(Wanted("churn", commit="a"))
    with pytest.raises(BaselineError, match="cannot be trusted"):
        place.store().put(entry("b", "k2"))


def test_changed_predictions_are_refused(place: Place) -> None:
    place.store().put(entry("a"))
    place.corrupt({f"entries/{address_of(place).address}/predictions.parquet": b"PAR1evil"})
    with pytest.raises(BaselineError, match="SHA-256 differs"):
        place.store().get(Wanted("churn", commit="a"))


def test_a_file_over_the_limit_is_not_read(place: Place) -> None:
    place.store().put(entry("a"))
    place.corrupt({f"entries/{address_of(place).address}/predictions.parquet": b"x" * 2_000_000})
    with pytest.raises(BaselineError, match="are allowed"):
        place.store(max_file_mb=1.0).get(Wanted("churn", commit="a"))


def test_a_missing_file_is_refused(place: Place) -> None:
    place.store().put(entry("a"))
    shelf = place.open()
    name = f"entries/{address_of(place).address}/evaluation.json"
    assert shelf.swap(shelf.version(), {name: None})
    with pytest.raises(BaselineError, match="missing"):
        place.store().get(Wanted("churn", commit="a"))


def test_an_index_cannot_lead_elsewhere(place: Place) -> None:
    place.store().put(entry("a"))
    header = msgspec.structs.replace(address_of(place), address="../../secret")
    place.corrupt({"index.json": index_with(header)})
    with pytest.raises(BaselineError, match="outside the store"):
        place.store().get(Wanted("churn", commit="a"))


def test_another_models_records_are_refused(place: Place) -> None:
    place.store().put(entry("a", model="fraud"))
    header = msgspec.structs.replace(address_of(place), model="churn")
    place.corrupt({"index.json": index_with(header)})
    with pytest.raises(BaselineError, match="another model"):
        place.store().get(Wanted("churn", commit="a"))


def store_at(url: str, token: str | None, folder: Path) -> ShelfStore:
    access = Access(url, header_of(token) if token else None)
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    shelf = GitShelf(access, World(environ=environ, folder=folder))
    return ShelfStore(shelf, Limits(), Clock(), lambda _: None)


def test_a_token_that_may_not_write_gets_the_yaml_to_paste(github: GitHub, tmp_path: Path) -> None:
    store = store_at(github.clone_url("acme/churn"), "read-only-token", tmp_path)
    assert store.list() == ()
    with pytest.raises(AccessError) as error:
        store.put(entry("a"))
    assert "contents: write" in error.value.fix
    assert error.value.exit_code == 5
    assert "read-only-token" not in str(error.value)


def test_the_token_is_in_no_argument_and_no_file(github: GitHub, tmp_path: Path) -> None:
    """Arguments are seen by every process of the machine."""
    seen: list[str] = []
    world = World(folder=tmp_path)

    def spy(command: Command) -> Finished:
        seen.extend(command.argv)
        return run_subprocess(command)

    shelf = GitShelf(
        Access(github.clone_url("acme/churn"), header_of("workflow-token")),
        dataclasses.replace(world, run_command=spy),
    )
    ShelfStore(shelf, Limits(), Clock(), lambda _: None).put(entry("a"))
    secret = header_of("workflow-token").split()[-1]
    assert not [argument for argument in seen if secret in argument or "workflow-token" in argument]
    for path in shelf.folder.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes()
    assert shelf.folder.stat().st_mode & 0o077 == 0


def test_a_run_asks_the_network_for_the_index_and_for_each_entry_once(
    github: GitHub, tmp_path: Path
) -> None:
    place = http_place(github, tmp_path)
    place.store().put(entry("a"))
    store, seen = place.store(), len(github.requests)
    for _ in range(3):
        found = store.get(Wanted("churn", commit="a"))
        assert found is not None
        assert len(store.list("churn")) == 1
    asked = [one["path"] for one in github.requests[seen:]]
    fetches = [path for path in asked if path.endswith("git-upload-pack")]
    # Which refs and the commit; then which refs and the blobs, for the index and for the entry.
    assert len(fetches) <= 6, asked
    assert len([path for path in asked if path.endswith("info/refs")]) == 3


def test_an_unreachable_remote_is_a_service_error(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="cannot be reached"):
        store_at("http://127.0.0.1:9/acme/churn.git", "x", tmp_path).list()


def test_a_clone_does_not_fetch_the_store(tmp_path: Path) -> None:
    place = git_place(tmp_path)
    place.store().put(entry("a"))
    git(tmp_path, "clone", "--quiet", "origin.git", "clone")
    assert "mlops-ci" not in git(tmp_path / "clone", "for-each-ref")


def test_the_ref_has_one_commit_without_a_parent(tmp_path: Path) -> None:
    place = git_place(tmp_path)
    for number in range(3):
        place.store().put(entry(f"c{number}", f"k{number}"))
    assert git(tmp_path / "origin.git", "rev-list", "--count", REF) == "1"

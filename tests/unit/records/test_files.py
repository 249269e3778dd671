from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mlops_ci.errors import RecordError, UsageError
from mlops_ci.records import Comparison, Folder, Push, RowCounts, read_record, record_schema
from mlops_ci.records.comparison import Side
from mlops_ci.records.files import KINDS

PUSH = Push(model="churn", commit="abc", image="i", digest="d", reference="i@d")


def test_a_record_comes_back(tmp_path: Path) -> None:
    path = Folder(tmp_path).write("push", PUSH)
    assert path == tmp_path / ".mlops-ci/churn/abc/push.json"
    assert Folder(tmp_path).read("churn", "abc", Push) == PUSH


def test_a_comparison_lies_with_head(tmp_path: Path) -> None:
    record = Comparison(
        model="churn",
        base=None,
        head=Side(name="this PR", commit="abc"),
        rows=RowCounts(),
        level=0.95,
        policy="estimate",
        verdict="ungated",
        blocks=False,
    )
    path = Folder(tmp_path).write("compare", record)
    assert path.parent.name == "abc"
    assert Folder(tmp_path).read("churn", "abc", Comparison) == record


def test_git_does_not_see_the_folder(tmp_path: Path) -> None:
    Folder(tmp_path).write("push", PUSH)
    assert (tmp_path / ".mlops-ci/.gitignore").read_text() == "*\n"


def test_pointers(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.pointed("churn", "head") is None
    folder.point("churn", "head", "abc")
    assert folder.pointed("churn", "head") == "abc"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "broken"),
        (b"{", "broken"),
        (b"[]", "broken"),
        (b'{"schema": "mlops-ci/push/1"}', "broken"),
        (b'{"schema": "mlops-ci/build/1"}', "broken"),
        (b'{"schema": null}', "broken"),
        (b'{"schema": "mlops-ci/push/2"}', "newer"),
        (b"\xff\xfe", "broken"),
    ],
)
def test_a_broken_or_newer_record_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "push.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=message) as caught:
        read_record(path, Push)
    assert caught.value.where == str(path)
    assert caught.value.exit_code == 3


def test_a_missing_record_names_the_step(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="mlops-ci push"):
        read_record(tmp_path / "push.json", Push)


def test_a_failed_write_keeps_the_old_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Folder(tmp_path).write("push", PUSH)
    old = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        Folder(tmp_path).write("push", PUSH)
    assert path.read_bytes() == old
    assert sorted(p.name for p in path.parent.iterdir()) == ["push.json"]


@pytest.mark.parametrize("name", ["config", "comparison", *KINDS])
def test_the_published_schema_is_the_command_s_output(name: str) -> None:
    published = Path(__file__).parents[3] / "schemas" / f"{name}.json"
    now = json.loads(json.dumps(record_schema(name)))
    assert json.loads(published.read_text()) == now, f"mlops-ci schema {name} > {published}"


def test_a_schema_s_words_are_not_indented_as_in_our_source() -> None:
    """Python 3.13 would say other words than 3.12."""
    assert "\\n  " not in json.dumps(record_schema("config"))


def test_an_unknown_schema_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="comparison"):
        record_schema("nothing")

"""A file that is not what its name says, or that was never written to its end."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from mlops_ci.data.formats import format_of
from mlops_ci.errors import ComparisonError

ROWS = "id,label,score\n" + "".join(f"{n},{n % 2},0.5\n" for n in range(50))


def refusal(path: Path, content: bytes) -> ComparisonError:
    path.write_bytes(content)
    with pytest.raises(ComparisonError) as caught:
        format_of(path)
    assert caught.value.what.startswith(path.name)
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.json", "x.yaml"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(ROWS.encode()), "compressed"),
        (b"PAR1" + bytes(100) + b"PAR1", "Parquet"),
        (b"PK\x03\x04" + bytes(100), "workbook"),
        (ROWS.encode("utf-16"), "UTF-16 text"),
        (ROWS.encode("utf-16-le"), "UTF-16 text"),
        (ROWS.encode("utf-16-be"), "UTF-16 text"),
        (ROWS.encode("utf-32"), "UTF-32 text"),
        (ROWS.encode() + bytes(5000), "ends in NUL bytes"),
        (ROWS.encode() + bytes(1), "NUL bytes"),
        (bytes(3) + ROWS.encode(), "begins with NUL bytes"),
        (bytes(5000), "begins with NUL bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 12\n", "Git LFS"),
    ],
)
def test_a_text_that_is_none(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    assert words in refusal(tmp_path / name, content).what


def test_a_hole_between_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with path.open("wb") as file:
        file.write(ROWS.encode() * 20)
        file.seek(1 << 24)
        file.write(ROWS.encode())
    with pytest.raises(ComparisonError, match="has a hole"):
        format_of(path)


def test_a_hole_that_is_none_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "SEEK_HOLE", os.SEEK_SET)  # as if all of it were one
    (tmp_path / "x.csv").write_text(ROWS * 1_000)
    assert format_of(tmp_path / "x.csv") == "csv"


def test_names_that_lie_about_compression(tmp_path: Path) -> None:
    error = refusal(tmp_path / "x.csv.gz", ROWS.encode())
    assert error.what == "x.csv.gz is not compressed"
    assert error.fix == "name it so: mv x.csv.gz x.csv"
    assert "mv x.csv x.csv.gz" in refusal(tmp_path / "x.csv", gzip.compress(b"a")).fix


def test_a_mark_before_json(tmp_path: Path) -> None:
    error = refusal(tmp_path / "x.jsonl", b'\xef\xbb\xbf{"label": 1}\n')
    assert "byte order mark" in error.what
    assert r"sed -i '1s/^\xEF\xBB\xBF//' x.jsonl" in error.fix


def test_a_pointer_in_the_place_of_columns(tmp_path: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 12\n"
    assert refusal(tmp_path / "x.parquet", pointer).fix == "git lfs pull"


@pytest.mark.parametrize("content", [ROWS.encode(), b"\xef\xbb\xbf" + ROWS.encode(), b"a,b\n1,2"])
def test_plain_text_is_plain(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    assert format_of(tmp_path / "x.csv") == "csv"
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(content))
    assert format_of(tmp_path / "x.csv.gz") == "csv"

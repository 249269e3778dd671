"""Two files of other rows, or of rows whose ids are written in another way: no comparison."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.data import ColumnsRequest, pair, read_predictions, room
from mlops_ci.errors import ComparisonError
from mlops_ci.steps import two_files
from mlops_ci.steps.two_files import compare_files
from tests.unit.data.files import binary, write
from tests.unit.data.test_streaming import asked

N = 60
Write = Callable[[int], Any]


def files(tmp_path: Path, base: Write, head: Write, form: str = "parquet") -> tuple[Path, Path]:
    sides = [binary(N, 1) | {"id": [of(n) for n in range(N)]} for of in (base, head)]
    names = (f"base.{form}", f"head.{form}")
    return tuple(write(tmp_path / name, side) for name, side in zip(names, sides, strict=True))  # type: ignore[return-value]


@pytest.fixture(params=["few", "many"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "many":
        monkeypatch.setattr(room, "MANY", 10)
        monkeypatch.setattr(room, "CHUNK", 25)
        monkeypatch.setattr(two_files, "FEW_BYTES", 10)
    return str(request.param)


def refusal(paths: tuple[Path, Path]) -> ComparisonError:
    with pytest.raises(ComparisonError) as caught:
        compare_files(asked(*paths, ColumnsRequest()))
    return caught.value


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_no_common_id_is_an_error_with_examples(tmp_path: Path, form: str) -> None:
    error = refusal(files(tmp_path, int, lambda n: n + 500, form))
    assert error.what == "no id of base is in head"
    assert error.where == f"base.{form}, id: 0, 1, 2, …; head.{form}, id: 500, 501, 502, …"
    assert "--id COLUMN" in error.fix


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize(
    ("base", "head", "words"),
    [
        (int, lambda n: f"{n:03d}", "0 in base is '000' in head (leading zeros)"),
        (lambda n: f"p{n}", lambda n: f"p{n} ", "'p0' in base is 'p0 ' in head (spaces around it)"),
        (lambda n: f"u/{n}", int, "'u/0' in base is 0 in head ('u/' in front)"),
    ],
)
def test_ids_that_are_written_differently(
    tmp_path: Path, base: Write, head: Write, words: str
) -> None:
    error = refusal(files(tmp_path, base, head))
    assert error.what == "no id of base is in head: the ids are written differently"
    assert words in error.fix
    assert ".astype(str).str." in error.fix


def test_a_few_that_are_alike_by_chance_save_nothing(tmp_path: Path) -> None:
    error = refusal(files(tmp_path, lambda n: 70 + n, lambda n: f"{70 + n:03d}"))
    assert error.what == "only 30 of base's 60 ids are in head: the ids are written differently"


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_few_rows_beside_many(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MANY", 40)
    monkeypatch.setattr(room, "CHUNK", 25)
    monkeypatch.setattr(two_files, "FEW_BYTES", 10)
    sides = [binary(rows, rows) for rows in (N, 30)]
    paths = [write(tmp_path / f"{len(one['id'])}.{form}", one) for one in sides]
    found = compare_files(asked(paths[0], paths[1], ColumnsRequest())).comparison
    assert found.evidence == "unpaired"
    assert found.verdict != "pass"
    assert any("head scored 30" in note for note in found.notes)


def test_a_row_in_a_hundred_is_common_by_chance(tmp_path: Path) -> None:
    sides = [binary(300, 1) | {"id": [start + n for n in range(300)]} for start in (0, 298)]
    paths = [write(tmp_path / f"{n}.csv", side) for n, side in enumerate(sides)]
    error = refusal((paths[0], paths[1]))
    assert error.what == "only 2 of base's 300 ids are in head"


@pytest.mark.usefixtures("size")
def test_a_part_that_is_common_is_no_mistake(tmp_path: Path) -> None:
    found = compare_files(asked(*files(tmp_path, int, lambda n: n + 40), ColumnsRequest()))
    assert found.comparison.rows.paired == 0
    assert found.comparison.verdict != "pass"
    assert any("head scored 20, fewer than 80%" in note for note in found.comparison.notes)


@pytest.mark.usefixtures("size")
def test_without_ids_they_are_two_samples(tmp_path: Path) -> None:
    sides = (binary(N, 1), binary(N - 10, 2))
    paths = [
        write(tmp_path / name, {key: side[key] for key in ("label", "score")})
        for name, side in zip(("base.csv", "head.csv"), sides, strict=True)
    ]
    found = compare_files(asked(paths[0], paths[1], ColumnsRequest())).comparison
    assert found.evidence == "unpaired"


def test_in_a_project_it_is_a_note(tmp_path: Path) -> None:
    """There rows may change as a whole."""
    read = [read_predictions(path) for path in files(tmp_path, int, lambda n: f"{n:03d}")]
    assert "0 in base is '000' in head (leading zeros)" in pair(*read).notes[0]
    read = [read_predictions(path) for path in files(tmp_path, int, lambda n: n + 500)]
    assert "Base's are 0, 1, 2, …, head's 500, 501, 502, …." in pair(*read).notes[0]
    most = files(tmp_path, lambda n: f"r{n}", lambda n: f"r{n}" if n > 5 else f"R{n} ")
    notes = pair(*(read_predictions(path) for path in most)).notes
    assert any("'r0' in base is 'R0 ' in head" in note for note in notes)

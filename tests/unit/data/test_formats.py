from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.data import ColumnsRequest, is_table, read_predictions
from mlops_ci.data.formats import escape_glob, read_header
from mlops_ci.errors import ComparisonError, MlopsCiError, UsageError
from tests.unit.data.files import FORMS, binary, write


@pytest.mark.parametrize("name", FORMS)
def test_every_form_says_the_same(tmp_path: Path, name: str) -> None:
    columns = binary() | {"region": ["north", "south"] * 20}
    request = ColumnsRequest(slices=("region",))
    expected = read_predictions(write(tmp_path / "expected.csv", columns), request)
    found = read_predictions(write(tmp_path / name, columns), request)
    assert found.task == "binary"
    assert found.rows_digest == expected.rows_digest
    assert found.classes == ("0", "1")
    assert found.positive == "1"
    assert found.keys is not None
    assert found.keys.tolist() == list(range(40))
    np.testing.assert_array_equal(found.label, columns["label"])
    np.testing.assert_array_equal(found.score, columns["score"])
    assert list(found.slices["region"].text()) == columns["region"]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('{"auc": 0.9}', False),
        ('{\n  "auc": 0.9\n}', False),
        ('[{"label": 1}]', True),
        ('{"label": 1}\n{"label": 0}\n', True),
        ('{"auc": {\n"a": 1}}', False),
    ],
)
def test_json_is_rows_or_numbers_by_its_content(tmp_path: Path, text: str, rows: bool) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    assert is_table(path) is rows


def test_a_json_array_of_objects_is_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('[{"label": 0, "score": 0.2},\n {"label": 1, "score": 0.7}]')
    assert list(read_predictions(path).label) == [0, 1]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("comma.csv", "id,label,score\n1,a,0.5\n2,b,0.25\n"),
        ("semicolon.csv", "id;label;score\n1;a;0.5\n2;b;0.25\n"),
        ("tab.tsv", "id\tlabel\tscore\n1\ta\t0.5\n2\tb\t0.25\n"),
        ("windows.csv", "\ufeffid,label,score\r\n1,a,0.5\r\n2,b,0.25\r\n"),
        ("quoted.csv", 'id,"label",score\n"1","a",0.5\n"2","b","0.25"\n'),
        ("open end.csv", "id,label,score\n1,a,0.5\n2,b,0.25"),
        ("pandas index.csv", ",id,label,score\n0,1,a,0.5\n1,2,b,0.25\n"),
        ("run[1] *.csv", "id,label,score\n1,a,0.5\n2,b,0.25\n"),
        ("it's.csv", "id,label,score\n1,a,0.5\n2,b,0.25\n"),
    ],
)
def test_what_spreadsheets_and_pandas_write(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    (tmp_path / "run1 other.csv").write_text("not,this,one\n")
    found = read_predictions(path, ColumnsRequest(positive="b"))
    assert found.classes == ("a", "b")
    assert list(found.score if found.score is not None else []) == [0.5, 0.25]


def test_folders_named_like_partitions_add_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "region=north"
    folder.mkdir()
    for name in ("x.csv", "x.parquet"):
        path = write(folder / name, binary())
        with pytest.raises(UsageError, match="no column 'region'"):
            read_predictions(path, ColumnsRequest(slices=("region",)))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.csv", b"", "is empty"),
        ("x.csv", b"id,label,score\n", "has no rows"),
        ("x.csv", b"\n\n", "names no columns"),
        ("x.csv", b"id,label,score\n1,0,0.2\n2,1\n3,1,0.9\n", "line 3 has 2 cells"),
        ("x.csv", b"id,label,score\n1,0,0.2\n2,1,0.7\n3", "line 4 has 1 cells"),
        ("x.csv", b"id,label,score\n1,0,0.2\n2,1,0.7,8\n", "line 3 has 4 cells"),
        ("x.csv", b'id,label,score\n1,0,0.2\n2,"1,0.7\n', "cannot be read"),
        ("x.csv", b"label,label,score\n1,0,0.2\n", "'label' stands twice"),
        ("x.csv", b"label,Label,score\n1,0,0.2\n", "'label' stands twice"),
        ("x.csv", "label,score\né,0.1\nb,0.2\n".encode("latin-1"), "cannot be read"),
        ("x.csv.gz", b"id,label,score\n1,0,0.2\n", "is not compressed"),
        (
            "x.csv.gz",
            gzip.compress(b"id,label,score\n1,0,0.2\n" * 999, mtime=0)[:-20],
            "cannot be read",
        ),
        ("x.parquet", b"PAR1 this is no Parquet file PAR1", "cannot be read"),
        ("x.parquet", b"id,label\n1,0\n", "cannot be read"),
        ("x.jsonl", b'{"label": 1, "score": 0.5}\n{"label": 0, "sc', "Malformed JSON"),
        ("x.jsonl", b'{"label": 1, "label": 0, "score": 0.5}\n', "duplicate key"),
    ],
)
def test_broken_files_are_said_to_be_broken(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ComparisonError, match=words) as error:
        read_predictions(path)
    assert error.value.exit_code == 3
    assert path.name in str(error.value)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_truncated_parquet_file_is_not_read(tmp_path: Path, share: float) -> None:
    path = write(tmp_path / "x.parquet", binary(500))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ComparisonError, match="cannot be read"):
        read_predictions(path)


@pytest.mark.parametrize(
    ("name", "words"), [("absent.csv", "no file"), (".", "folder"), ("x.xlsx", "not known")]
)
def test_what_is_no_file_of_ours(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "x.xlsx").write_text("x")
    with pytest.raises(UsageError, match=words):
        read_predictions(tmp_path / name)


def test_reading_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.csv", binary())
    monkeypatch.chdir(tmp_path)
    read_predictions(Path("x.csv"))
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_a_pattern_is_a_name() -> None:
    assert escape_glob(Path("/a/b[1]*?.csv")) == "/a/b[[]1][*][?].csv"


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text("abc,;|\t'\"é ", min_size=1), min_size=1, max_size=5, unique_by=str.lower))
def test_headers_survive_quoting(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    path = tmp_path_factory.mktemp("headers") / "x.csv"
    write(path, {name: ["1"] for name in [*names, "one", "two", "three", "four", "five", "six"]})
    assert read_header(path)[1][: len(names)] == names


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([".csv", ".parquet", ".jsonl", ".json", ".csv.gz", ".tsv"]),
    st.binary(max_size=300),
)
def test_any_content_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, ending: str, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / f"x{ending}"
    path.write_bytes(content)
    try:
        read_predictions(path)
    except MlopsCiError:
        return
    raise AssertionError("random bytes hold no predictions")


def test_text_that_looks_like_a_day_stays_text(tmp_path: Path) -> None:
    """In one file all keys may look like days, in the other one not."""
    columns = binary(3) | {
        "id": ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"],
        "who": ["0190A0B0-0000-7000-8000-000000000000"] * 3,
        "notes": ["a", "b", "c"],
    }
    request = ColumnsRequest(id=("id", "who"))
    found = read_predictions(write(tmp_path / "x.jsonl", columns), request)
    expected = read_predictions(write(tmp_path / "x.csv", columns), request)
    assert found.rows_digest == expected.rows_digest


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.csv")
    with pytest.raises(UsageError, match="is a pipe"):
        read_predictions(tmp_path / "x.csv")

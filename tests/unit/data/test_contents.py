"""What files hold, counted: Parquet and text alike, against pandas."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_ci.config.contract import Column, Contract, expand_contract
from mlops_ci.data.contents import count_rows, read_contents
from mlops_ci.verdict.contract import ColumnFacts, place_of

CONTRACT = Contract(
    unique=["id", "plan"],
    columns={
        "id": Column(unique=True, dtype="number"),
        "age": Column(min=0.0, max=120.0),
        "plan": Column(values=["a", "b"]),
        "level": Column(values=[1, 2, 3]),
        "day": Column(min=dt.date(2020, 1, 1)),
        "paid": Column(values=[True]),
        "none": Column(max_null=1.0, dtype="text"),
    },
)
TERMS = expand_contract(CONTRACT)


def frame(rows: int = 2_000) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    plans = np.array(["a", "b", "gold", 'it\'s, "odd"', None], dtype=object)
    made = pd.DataFrame(
        {
            "id": rng.integers(0, rows, rows).astype("float64"),
            "age": rng.normal(50, 40, rows),
            "plan": plans[rng.integers(0, 5, rows)],
            "level": rng.integers(1, 6, rows).astype("int8"),
            "day": pd.Timestamp("2019-12-01") + pd.to_timedelta(rng.integers(0, 60, rows), "D"),
            "paid": rng.random(rows) < 0.5,
            "none": pd.Series([None] * rows, dtype="object"),
        }
    )
    made.loc[rng.random(rows) < 0.1, "age"] = np.nan
    made.loc[rng.random(rows) < 0.1, "id"] = np.nan
    return made


def write(table: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".jsonl":
        table.to_json(path, orient="records", lines=True, date_format="iso")
    else:
        table.to_csv(path, index=False)
    return path


def bad(column: ColumnFacts, name: str, kind: str) -> int:
    (term,) = (term for term in TERMS if term.column == name and term.kind == kind)
    return column.outside[place_of(term)]


@pytest.mark.parametrize("name", ["d.parquet", "d.csv", "d.csv.gz", "d.jsonl"])
def test_counts_are_pandas(tmp_path: Path, name: str) -> None:
    table = frame()
    facts = read_contents(write(table, tmp_path / name), TERMS)
    found = facts.columns
    assert facts.rows == len(table)
    assert found["age"].missing == int(table["age"].isna().sum())
    assert bad(found["age"], "age", "min") == int((table["age"] < 0).sum())
    assert bad(found["age"], "age", "max") == int((table["age"] > 120).sum())
    assert float(found["age"].low or 0) == pytest.approx(table["age"].min())
    strange = table["plan"].dropna()
    strange = strange[~strange.isin(["a", "b"])]
    assert bad(found["plan"], "plan", "values") == len(strange)
    assert found["plan"].strange == tuple(
        sorted(strange.unique(), key=lambda v: (-int((strange == v).sum()), v))
    )
    assert bad(found["level"], "level", "values") == int((~table["level"].isin([1, 2, 3])).sum())
    assert bad(found["paid"], "paid", "values") == int((~table["paid"]).sum())
    assert bad(found["day"], "day", "min") == int((table["day"] < "2020-01-01").sum())
    filled = table["id"].dropna()
    assert bad(found["id"], "id", "unique") == len(filled) - filled.nunique()
    both = table[["id", "plan"]].dropna()
    assert facts.repeated["id", "plan"] == len(both) - len(both.drop_duplicates())
    assert found["none"].missing == len(table)


def test_types_are_the_files_own_and_of_text_what_all_cells_are(tmp_path: Path) -> None:
    types = {
        name: {column: (one.family, one.exact) for column, one in read_contents(
            write(frame(), tmp_path / name), TERMS).columns.items()}
        for name in ("d.parquet", "d.csv")
    }  # fmt: skip
    assert types["d.parquet"]["level"] == ("integer", "int8")
    assert types["d.parquet"]["age"] == ("number", "float64")
    assert types["d.parquet"]["day"] == ("timestamp", None)
    text = {column: family for column, (family, _) in types["d.csv"].items()}
    assert text == {
        "id": "number", "age": "number", "plan": "text", "level": "integer", "day": "date",
        "paid": "boolean", "none": "empty",
    }  # fmt: skip


def test_one_cell_that_is_no_number_makes_a_text_and_lies_outside(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("age\n1\n2\nx\n\n")
    (column,) = read_contents(tmp_path / "d.csv", TERMS[3:]).columns.values()
    assert column.family == "text"
    assert (bad(column, "age", "min"), bad(column, "age", "max")) == (1, 1)
    assert (column.low, column.high) == ("1", "2")


def test_columns_of_lists_and_odd_names(tmp_path: Path) -> None:
    odd = 'a "b", c\'d'
    terms = expand_contract(
        Contract(columns={odd: Column(max_null=0.0, min=0.0, values=["[1]"], dtype="integer")})
    )
    pd.DataFrame({odd: [[1], [2], None]}).to_parquet(tmp_path / "d.parquet")
    column = read_contents(tmp_path / "d.parquet", terms).columns[odd]
    assert (column.family, column.missing) == ("other", 1)
    assert list(column.outside.values()) == [2, 1], "a list is no number; [2] is not allowed"


@pytest.mark.parametrize("content", [b"", b"PAR1 and nothing more", b"PAR1"])
def test_broken_files_are_refused_in_words_without_their_place(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "d.parquet").write_bytes(content)
    facts = read_contents(tmp_path / "d.parquet", TERMS)
    assert facts.rows is None
    assert facts.refused
    assert str(tmp_path) not in facts.refused
    assert count_rows(tmp_path / "d.parquet") is None


def test_no_file_a_folder_and_no_rows(tmp_path: Path) -> None:
    assert read_contents(tmp_path / "d.csv", TERMS).missing
    assert read_contents(tmp_path, TERMS).refused
    (tmp_path / "e.csv").write_text("age\n")
    assert read_contents(tmp_path / "e.csv", TERMS).refused


def test_a_column_that_is_not_there_is_not_among_the_facts(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("age\n1\n")
    facts = read_contents(tmp_path / "d.csv", TERMS)
    assert set(facts.columns) == {"age"}
    assert facts.repeated == {}

"""Changed features: by the row's key and the column, and by nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_ci.config.robustness import Perturbation
from mlops_ci.data.perturbed import Features, ending_of, write_perturbed, write_probe
from mlops_ci.errors import ComparisonError


def frame(n: int = 3_000) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "label": rng.integers(0, 2, n),
            "age": rng.integers(18, 90, n),
            "income": rng.normal(30, 8, n),
            "region": rng.choice(["north", "south", "o'odd"], n),
        }
    )


def write(table: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False, sep=";" if "semicolon" in path.name else ",")
    return path


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, sep=";" if "semicolon" in path.name else ",")


def changed(table: pd.DataFrame, folder: Path, name: str = "f.parquet", **one: Any) -> pd.DataFrame:
    path = write(table, folder / name)
    place = folder / f"changed-{name}"
    write_perturbed(Features(path, ("id",), ("label",)), Perturbation(**one), place)
    return read(place)


CHANGES: list[dict[str, Any]] = [
    {"kind": "noise", "amount": 0.1},
    {"kind": "missing", "amount": 0.1},
    {"kind": "scale", "amount": 1000.0, "columns": ("age",)},
    {"kind": "swap", "amount": 0.5, "columns": ("region",)},
]


@pytest.mark.parametrize("one", CHANGES, ids=lambda one: one["kind"])
def test_the_order_of_rows_and_the_kind_of_file_change_nothing(
    tmp_path: Path, one: dict[str, Any]
) -> None:
    table = frame()
    plain = changed(table, tmp_path, **one).set_index("id").sort_index()
    mixed = changed(table.sample(frac=1, random_state=1), tmp_path, "g.parquet", **one)
    part = changed(table[::7], tmp_path, "h.parquet", **one).set_index("id")
    text = changed(table, tmp_path, "f.csv.gz", **one).set_index("id")
    other = changed(table, tmp_path, "semicolon.csv", **one).set_index("id")
    pd.testing.assert_frame_equal(mixed.set_index("id").sort_index(), plain)
    for same in (text, other):
        pd.testing.assert_frame_equal(same, plain, check_dtype=False)
    if one["kind"] != "noise":  # its size is that of the file's own spread
        pd.testing.assert_frame_equal(part, plain.loc[part.index], check_dtype=False)
    assert (plain["label"] == table["label"]).all()


def test_noise_has_the_size_that_was_asked_for(tmp_path: Path) -> None:
    table = frame()
    found = changed(table, tmp_path, kind="noise", amount=0.1)
    moved = found["income"] - table["income"]
    assert moved.std() == pytest.approx(0.1 * table["income"].std(), rel=0.05)
    assert abs(moved.mean()) < 0.05
    assert abs(np.corrcoef(moved, found["age"] - table["age"])[0, 1]) < 0.06
    assert found["age"].dtype == table["age"].dtype
    assert (found["region"] == table["region"]).all()


def test_missing_is_a_share_of_each_column(tmp_path: Path) -> None:
    found = changed(frame(), tmp_path, kind="missing", amount=0.1)
    shares = found.isna().mean()
    assert shares[["age", "income", "region"]].between(0.08, 0.12).all()
    assert shares[["id", "label"]].sum() == 0
    both = (found["age"].isna() & found["income"].isna()).mean()
    assert both < 0.02, "each column by itself"


def test_a_unit_and_a_category(tmp_path: Path) -> None:
    table = frame()
    scaled = changed(table, tmp_path, kind="scale", amount=0.001, columns=("age",))
    assert np.allclose(scaled["age"], table["age"] / 1000)
    swapped = changed(table, tmp_path, kind="swap", amount=1.0, columns=("region",))
    assert (swapped["region"] != table["region"]).all()
    assert set(swapped["region"]) == set(table["region"])
    north = swapped["region"][table["region"] == "north"].value_counts(normalize=True)
    assert north.between(0.45, 0.55).all()


@pytest.mark.parametrize(
    ("one", "said"),
    [
        ({"kind": "noise", "amount": 0.1, "columns": ("region",)}, "no column of numbers"),
        ({"kind": "scale", "amount": 2.0, "columns": ("gone",)}, "no column 'gone'"),
        ({"kind": "swap", "amount": 1.0, "columns": ("one",)}, "one value only"),
        ({"kind": "noise", "amount": 0.1, "columns": ("flat",)}, "one value only"),
        ({"kind": "swap", "amount": 1.0, "columns": ("id",)}, "more than 1,000 values"),
    ],
)
def test_what_cannot_be_changed_says_so(tmp_path: Path, one: dict[str, Any], said: str) -> None:
    with pytest.raises(ComparisonError, match=said):
        changed(frame().assign(one="x", flat=1.5), tmp_path, **one)


def test_rows_without_a_key_are_what_their_cells_are(tmp_path: Path) -> None:
    table = frame(400).drop(columns="id")
    one = Perturbation(kind="missing", amount=0.3)
    for name, rows in (("a.parquet", table), ("b.parquet", table[::-1])):
        place = tmp_path / f"changed-{name}"
        write_perturbed(Features(write(rows, tmp_path / name), (), ("label",)), one, place)
    first, last = (read(tmp_path / f"changed-{name}") for name in ("a.parquet", "b.parquet"))
    pd.testing.assert_frame_equal(first, last[::-1].reset_index(drop=True))


def test_a_probe_is_half_of_the_rows_as_they_are(tmp_path: Path) -> None:
    table = frame()
    features = Features(write(table, tmp_path / "f.parquet"), ("id",), ("label",))
    probe = write_probe(features, tmp_path / "probe.parquet")
    half = read(tmp_path / "probe.parquet")
    assert probe.rows == len(table)
    assert table["id"].iloc[probe.places].tolist() == half["id"].tolist()
    assert 0.45 < len(half) / len(table) < 0.55
    pd.testing.assert_frame_equal(half.set_index("id"), table.set_index("id").loc[half["id"]])


def test_endings() -> None:
    names = {"a.b.csv.gz": ".csv.gz", "x.1.parquet": ".parquet", "t.tsv": ".tsv"}
    assert {name: ending_of(Path(name)) for name in names} == names

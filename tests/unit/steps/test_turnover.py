"""What the change of the rows did, from two files of one model's answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mlops_ci.config import Policy
from mlops_ci.data import ColumnsRequest, pair, read_predictions
from mlops_ci.records import Decomposition
from mlops_ci.records.comparison import Side
from mlops_ci.steps.sides import Known
from mlops_ci.steps.turnover import explain
from mlops_ci.verdict import PairedRows, compare_paired
from tests.unit.data.files import binary, write

REQUEST = ColumnsRequest(slices=("region",))


def effects(folder: Path, *dropped: str) -> dict[Any, Decomposition]:
    """1,200 rows on main, of which head keeps 1,000 and adds 200."""
    whole = binary(1_400, 3) | {"region": ["north" if n % 3 else "south" for n in range(1_400)]}
    columns = {name: values for name, values in whole.items() if name not in dropped}
    read = []
    for at, chosen in enumerate((slice(0, 1_200), slice(200, 1_400))):
        part = {name: values[chosen] for name, values in columns.items()}
        read.append(read_predictions(write(folder / f"{at}{len(dropped)}.csv", part), REQUEST))
    rows = pair(read[1], read[1]).rows
    assert isinstance(rows, PairedRows)
    judged = compare_paired(rows, Policy())
    known = tuple(Known(Side(name="main"), one) for one in read)
    found = explain((known[0], known[1]), judged, Policy())
    return {(one.metric, one.slice): one for one in found.decomposition}


def width(one: Decomposition) -> float:
    return float(one.data_high or np.nan) - float(one.data_low or np.nan)


def test_ids_tell_which_rows_vary_once(tmp_path: Path) -> None:
    known, unknown = effects(tmp_path), effects(tmp_path, "id")
    assert {key[1] for key in known} == {None, "region=north", "region=south"}
    for key in (("accuracy", None), ("accuracy", "region=north"), ("roc_auc", "region=north")):
        assert known[key].data_effect == unknown[key].data_effect
        assert width(known[key]) < 0.6 * width(unknown[key])

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mlops_ci.data import ColumnsRequest, Predictions, read_predictions
from mlops_ci.data.overlap import rest_of
from mlops_ci.data.turnover import turn_over
from mlops_ci.verdict import Lost
from tests.unit.data.files import binary, write


def read(folder: Path, columns: dict[str, Any]) -> Predictions:
    return read_predictions(
        write(folder / f"{len(list(folder.iterdir()))}.csv", columns), ColumnsRequest()
    )


def part(columns: dict[str, Any], rows: slice) -> dict[str, Any]:
    return {name: values[rows] for name, values in columns.items()}


def test_rows_are_kept_gone_new_or_relabelled(tmp_path: Path) -> None:
    whole = binary(60)
    before, now = part(whole, slice(0, 40)), part(whole, slice(10, 60))
    now["label"] = [1 - now["label"][0], *now["label"][1:]]
    found = turn_over(read(tmp_path, before), read(tmp_path, now))
    assert (found.gone, found.added, found.relabelled) == (10, 20, 1)
    assert found.left_out is not None
    assert found.left_out.label.tolist() == whole["label"][:10]
    assert found.stayed is not None
    assert found.stayed.label.tolist() == whole["label"][10:40]
    assert (len(found.before.label), len(found.now.label)) == (40, 50)
    assert found.shared is not None
    assert found.shared.before.tolist() == list(range(10, 40))
    assert found.shared.now.tolist() == list(range(30))
    assert (found.uncommon.unscored, found.uncommon.relabelled) == (10, 1)
    assert not found.replaced


def test_a_set_without_an_old_row_is_a_new_yardstick(tmp_path: Path) -> None:
    whole = binary(60)
    before, now = part(whole, slice(0, 40)), part(whole, slice(40, 60))
    found = turn_over(read(tmp_path, before), read(tmp_path, now))
    assert (found.gone, found.replaced, found.uncommon.nothing) == (40, True, True)


def test_a_slice_has_lost_what_is_gone_relabelled_or_in_another_one(tmp_path: Path) -> None:
    whole = binary(30) | {"region": ["north"] * 15 + ["south"] * 15}
    request = ColumnsRequest(slices=("region",))
    now = part(whole, slice(4, 30))
    now["label"] = [*now["label"][:20], 1 - now["label"][20], *now["label"][21:]]
    now["region"] = ["south"] * 3 + now["region"][3:]
    sides = [
        read_predictions(write(tmp_path / name, one), request)
        for name, one in (("before.csv", whole), ("now.csv", now))
    ]
    found = turn_over(*sides).uncommon
    assert (found.unscored, found.relabelled) == (4, 1)
    assert found.slices == {"region=north": Lost(7), "region=south": Lost(0, 1)}


def test_a_row_that_weighs_otherwise_is_changed(tmp_path: Path) -> None:
    whole = binary(20)
    same = turn_over(*(read(tmp_path, whole | {"weight": [2.0] * 20}) for _ in range(2)))
    assert same.uncommon.nothing
    light = turn_over(
        read(tmp_path, whole | {"weight": [2.0] * 20}),
        read(tmp_path, whole | {"weight": [0.0] * 3 + [2.0] * 17}),
    )
    assert (light.relabelled, light.reweighed, light.uncommon.relabelled) == (0, 3, 3)


def test_the_same_rows_in_another_order_have_not_changed(tmp_path: Path) -> None:
    whole = binary(30)
    turned = {name: values[::-1] for name, values in whole.items()}
    found = turn_over(read(tmp_path, whole), read(tmp_path, turned))
    assert (found.gone, found.added, found.relabelled, found.left_out) == (0, 0, 0, None)
    assert found.shared is not None
    assert found.shared.now[found.shared.before.argsort()].tolist() == list(range(29, -1, -1))


def test_without_ids_nobody_can_say(tmp_path: Path) -> None:
    whole = {name: values for name, values in binary(30).items() if name != "id"}
    found = turn_over(read(tmp_path, whole), read(tmp_path, part(whole, slice(0, 20))))
    assert (found.gone, found.added, found.left_out, found.shared) == (None, None, None, None)
    assert found.uncommon.unknown


def test_without_ids_rows_that_were_appended_are_new_alone(tmp_path: Path) -> None:
    whole = {name: values for name, values in binary(30).items() if name != "id"}
    before = read(tmp_path, part(whole, slice(0, 20)))
    found = turn_over(before, read(tmp_path, whole))
    assert (found.gone, found.added, found.uncommon.nothing) == (0, 10, True)
    for name in ("label", "score"):
        turned = {**whole, name: [1 - whole[name][0], *whole[name][1:]]}
        assert turn_over(before, read(tmp_path, turned)).uncommon.unknown


def test_rows_without_weight_are_nothing_to_measure(tmp_path: Path) -> None:
    weighed = binary(20) | {"weight": [1.0] * 15 + [0.0] * 5}
    base = read(tmp_path, weighed)
    assert base.weight is not None
    assert rest_of(base, np.arange(15)) is None
    assert rest_of(base, slice(None)) is None
    rest = rest_of(base, np.arange(14))
    assert isinstance(rest, np.ndarray)
    assert rest.tolist() == [14, 15, 16, 17, 18, 19]

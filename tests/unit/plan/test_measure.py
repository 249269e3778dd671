"""What head's file cannot say of the yardstick."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mlops_ci.config import Columns, Config, Model
from mlops_ci.plan.measure import Measure, measure_of


def measured(base: Any, head: Any) -> Measure:
    configs = [Config(models={"m": Model(columns=Columns(values=one))}) for one in (base, head)]
    settings = SimpleNamespace(config=configs[0], model=configs[0].models["m"], adopted=False)
    project: Any = SimpleNamespace(config=configs[1], model=configs[1].models.__getitem__)
    search: Any = SimpleNamespace(settings=settings)
    return measure_of(project, "m", search)


@pytest.mark.parametrize(
    ("base", "head", "turned"),
    [
        ({"judge": "higher"}, {"judge": "lower"}, {"judge": True}),
        ({"judge": "higher"}, ["judge"], {"judge": True}),
        (["cost"], {"cost": "higher"}, {"cost": False}),
        ({"judge": "higher"}, {"judge": "higher"}, {}),
        (["judge"], {"judge": "lower"}, {}),  # base does not say
        ([], {"judge": "lower"}, {}),
        ({"judge": "higher"}, [], {}),
    ],
)
def test_what_is_better_of_a_value_is_for_base_to_say(base: Any, head: Any, turned: Any) -> None:
    found = measured(base, head)
    assert found.turned == turned
    assert [change.split()[4] for change in found.changes] == list(turned)

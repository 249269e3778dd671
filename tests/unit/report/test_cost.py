"""What a training cost, where somebody has said what an hour costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec.structs import replace as replaced

from mlops_ci.config import Price, parse_config
from mlops_ci.errors import ConfigError
from mlops_ci.report import Report, report_of
from mlops_ci.report.changes import cost_of
from tests.unit.report.states import better, named, training

USD, EUR = Price(per_hour=0.54), Price(per_hour=36.0, currency="EUR")


def report(seconds: list[float], prices: dict[str, Price]) -> Report:
    sections = [
        replace(
            named(better(), f"m{at}"),
            training=replaced(training(), model=f"m{at}", duration_seconds=took),
        )
        for at, took in enumerate(seconds)
    ]
    return replace(report_of(sections), prices=prices)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(720.0, "cost 0.11 USD"), (1.0, "cost < 0.01 USD"), (7.2e9, "cost 1,080,000.00 USD")],
)
def test_the_cost_of_one_training(seconds: float, said: str) -> None:
    found = [one.replace("\u00a0", " ") for one in cost_of(report([seconds], {"m0": USD}))]
    assert found[-1] == said


def test_a_free_machine_costs_nothing() -> None:
    assert cost_of(report([60.0], {"m0": Price(per_hour=0)}))[-1] == "cost 0.00\u00a0USD"


def test_without_a_price_no_money_is_named() -> None:
    assert not any("cost" in one for one in cost_of(report([720.0], {})))
    assert not any("cost" in one for one in cost_of(report([720.0, 60.0], {"m0": USD})))


def test_many_models_are_summed_by_currency() -> None:
    found = cost_of(report([3600.0, 3600.0, 60.0], {"m0": USD, "m1": USD, "m2": EUR}))
    assert found[-2:] == ("cost 0.60\u00a0EUR", "cost 1.08\u00a0USD")


def test_what_was_not_trained_costs_nothing() -> None:
    found = report([720.0], {"m0": USD})
    reused = replaced(training(), model="m0", reused="a" * 40)
    again = replace(found, models=(replace(found.models[0], training=reused),))
    assert cost_of(again) == ("training reused: nothing that it depends on changed",)


def test_a_model_s_own_price_goes_first() -> None:
    config = parse_config(
        "price: {per-hour: 0.54}\nmodels:\n"
        "  a: {metrics: m.json}\n"
        "  b: {metrics: m.json, price: {per-hour: 3, currency: EUR}}\n",
        "mlops-ci.yaml",
    )
    assert config.prices == {"a": USD, "b": Price(per_hour=3, currency="EUR")}


@pytest.mark.parametrize(
    "price", ["0.54", "{per-hour: -1}", "{per-hour: 1, currency: dollars}", "{currency: USD}"]
)
def test_a_price_that_is_none_is_refused(price: str) -> None:
    with pytest.raises(ConfigError):
        parse_config(f"price: {price}\nmodels: {{a: {{metrics: m.json}}}}\n", "mlops-ci.yaml")

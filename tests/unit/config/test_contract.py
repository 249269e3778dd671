"""A contract that promises nothing, or that nothing can keep, is refused with its line."""

from __future__ import annotations

import pytest

from mlops_ci.config import expand_contract, parse_config
from mlops_ci.errors import ConfigError

MODEL = "models:\n  m:\n    predictions: p.csv\n    contract: "


def refused(contract: str, head: str = MODEL) -> ConfigError:
    with pytest.raises(ConfigError) as error:
        parse_config(head + contract + "\n")
    return error.value


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        ("{}", "it promises nothing"),
        ("{file: d.csv, columns: {}}", "it promises nothing"),
        ("{file: ../d.csv, rows: {min: 1}}", "leads out of the project"),
        ("{file: /d.csv, rows: {min: 1}}", "leads out of the project"),
        ("{rows: {min: 5, max: 4}}", "no file has"),
        ("{columns: {age: {}}}", "nothing is promised of this column"),
        ("{columns: {age: {min: 2, max: 1}}}", "no value is"),
        ("{columns: {age: {min: .nan}}}", "must be finite"),
        ("{columns: {age: {min: 1, max: 2026-01-01}}}", "one bound is a day"),
        ("{columns: {age: {max-null: 2}}}", "<= 1"),
        ("{columns: {age: {values: []}}}", "length"),
        ("{columns: {age: {dtype: int}}}", "invalid enum value"),
        ("{columns: {age: {max-nul: 0}}}", "unknown key 'max-nul'"),
        ("{row: {min: 1}}", "unknown key 'row'"),
        ("{schema: schema.py}", "names no schema"),
        ("{schema: 'schema.py:a b'}", "names no schema"),
        ("{schema: 'schema.yaml:Name'}", "names no schema"),
        ("{schema: '../s.py:Name'}", "leads out of the project"),
        ("[{rows: {min: 1}}, {}]", "it promises nothing"),
    ],
)
def test_refused_with_its_line(contract: str, said: str) -> None:
    error = refused(contract)
    assert said in error.what
    assert error.where.startswith("mlops-ci.yaml line 4, models.m.contract")


def test_near_names_are_named() -> None:
    assert "'max-null'" in refused("{columns: {age: {max-nul: 0}}}").fix
    assert "'rows'" in refused("{row: {min: 1}}").fix
    assert "integer" in refused("{columns: {age: {dtype: int}}}").fix


def test_a_model_without_predictions_must_name_the_file() -> None:
    head = "models:\n  m:\n    metrics: m.json\n    contract: "
    assert "which file" in refused("{rows: {min: 1}}", head).what
    assert parse_config(head + "{file: d.csv, rows: {min: 1}}").models["m"].contract


def test_one_contract_and_a_list_of_it_are_the_same_terms() -> None:
    one = parse_config(MODEL + "{rows: {min: 1, max-change: 0.2}, columns: {a: {min: 0}}}")
    many = parse_config(
        MODEL + "[{rows: {min: 1, max-change: 0.2}, columns: {a: {min: 0}}}, {rows: {min: 1}}]"
    )
    terms = [expand_contract(config.models["m"].contract) for config in (one, many)]
    assert terms[0] == terms[1]
    assert [term.kind for term in terms[0]] == ["rows-min", "rows-max-change", "min"]

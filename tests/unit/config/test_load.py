from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.config import expand_gates, find_config, load_config, parse_config
from mlops_ci.errors import ConfigError

GOOD = """models:
  churn:
    train: python train.py
    data: [data/]
    predictions: out/predictions.parquet
    metrics: out/metrics.json
    model: out/model
    slices: [region, plan]
    gates:
      roc_auc: {max-drop: 0.01}
      recall: [{min: 0.60}, {max-drop: 0.02, slice: region=north}, {max-drop: 0.05, slice: plan=*}]
    image: ghcr.io/acme/churn
    deploy: {target: docker, host: ssh://deploy@example.org, port: 8080}
"""


def test_the_example_of_the_readme_is_read() -> None:
    model = parse_config(GOOD).models["churn"]
    assert model.train == "python train.py"
    assert model.deploy is not None
    assert model.deploy.port == 8080
    kinds = [(g.metric, g.kind, g.limit, g.slice) for g in expand_gates(model.gates)]
    assert kinds == [
        ("roc_auc", "max-drop", 0.01, None),
        ("recall", "min", 0.60, None),
        ("recall", "max-drop", 0.02, "region=north"),
        ("recall", "max-drop", 0.05, "plan=*"),
    ]


def test_an_entry_with_two_limits_is_two_gates() -> None:
    text = "models: {a: {metrics: m.json, gates: {f1: {max-drop: 0.1, max-drop-relative: 0.05}}}}"
    gates = expand_gates(parse_config(text).models["a"].gates)
    assert [g.kind for g in gates] == ["max-drop", "max-drop-relative"]


def test_the_total_drop_defaults_to_twice_the_drop() -> None:
    text = "models: {a: {metrics: m.json, gates: {f1: {max-drop: 0.1}, mae: {max: 2}}}}"
    drop, ceiling = expand_gates(parse_config(text).models["a"].gates)
    assert drop.max_total_drop == pytest.approx(0.2)
    assert ceiling.max_total_drop is None


def test_the_total_drop_belongs_to_the_drop_beside_it() -> None:
    def totals(limits: str) -> list[float | None]:
        text = f"models: {{a: {{metrics: m.json, gates: {{f1: {{{limits}}}}}}}}}"
        return [one.max_total_drop for one in expand_gates(parse_config(text).models["a"].gates)]

    assert totals("max-drop-relative: 0.1") == [0.2]
    assert totals("max-drop-relative: 0.1, max-total-drop: 0.15") == [0.15]
    assert totals("max-drop: 1, max-drop-relative: 0.1, max-total-drop: 1.5") == [1.5, 0.2]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ("min: 0.5, max-total-drop: 0.1", "f1: {max-drop: 0.05, max-total-drop: 0.1}"),
        ("max-drop: 0.5, max-total-drop: .inf", "a limit must be finite"),
        (
            "max-drop-relative: 0.2, max-total-drop: 0.1",
            "f1: {max-drop-relative: 0.1, max-total-drop: 0.2}",
        ),
    ],
)
def test_a_total_drop_that_nothing_would_hold_is_refused(limits: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        parse_config(f"models: {{a: {{metrics: m.json, gates: {{f1: {{{limits}}}}}}}}}")


@pytest.mark.parametrize("name", ["training_seconds", "peak_memory_mb", "latency_ms"])
def test_a_time_has_no_best(name: str) -> None:
    gate = f"{name}: {{max-drop: 1, max-total-drop: 1.5}}"
    with pytest.raises(ConfigError, match=f"{name} has no best record") as caught:
        parse_config(f"models: {{a: {{metrics: m.json, gates: {{{gate}}}}}}}")
    assert f"{name}: {{max: 100}}" in str(caught.value.fix)
    size = "model_size_mb: {max-drop: 1, max-total-drop: 1.5}"
    parse_config(f"models: {{a: {{metrics: m.json, model: m, gates: {{{size}}}}}}}")


@pytest.mark.parametrize(
    ("text", "message", "where"),
    [
        (
            "models:\n  a:\n    metrics: m\n    gates:\n      f1: {max-drpo: 1}",
            "max-drpo",
            "line 5",
        ),
        ("models:\n  a: {metrics: 3}", "metrics", "line 2"),
        ("models:\n  a: {metrics: m}\n  b: {metrics: m, gates: {f1: {min: x}}}", "min", "line 3"),
        ("models:\n  a: [1", "not valid YAML", "line"),
        ("models: {}\nmodels: {}", "stands twice", "line 2"),
        ("", "empty", "mlops-ci.yaml"),
        ("models:\n  a: {}", "neither", "line 2"),
        ("models:\n  a: {metrics: ../m.json}", "leads out", "line 2"),
        ("models:\n  a: {metrics: /m.json}", "leads out", "line 2"),
        ("models:\n  a: {metrics: m, gates: {f1: {}}}", "no limit", "line 2"),
        ("models:\n  a: {metrics: m, gates: {f1: {max-drop: -1}}}", "max-drop", "line 2"),
        ("models:\n  a: {metrics: m, gates: {f1: {min: .nan}}}", "finite", "line 2"),
        ("models:\n  a: {metrics: m, gates: {f1: {min: 1, slice: r=x}}}", "declared", "line 2"),
        ("models:\n  a: {metrics: m, slices: [r], gates: {f1: {min: 1, slice: r}}}", "slice", "2"),
        (
            "models:\n  a: {metrics: m, gates: {f1: {min: 0.9, max: 0.5}}}",
            "no value is at least 0.9 and at most 0.5",
            "line 2",
        ),
        (
            "models:\n  a: {metrics: m, gates: {f1: {min: 0.9, max-total-drop: 0.5}}}",
            "no single one is bounded",
            "line 2",
        ),
        (
            "models:\n  a: {metrics: m, gates: {f1: {max-drop: 0.2, max-total-drop: 0.1}}}",
            "one change may lose 0.2, and all of them together 0.1",
            "line 2",
        ),
        (
            (
                "models:\n  a:\n    metrics: m\n    gates: {f1: {min: 0}}\n    waivers:\n"
                "      - {metric: f1, owner: ' ', reason: x, until: 2026-01-01}"
            ),
            "that of f1 has no owner",
            "line 5",
        ),
        (
            (
                "models:\n  a:\n    metrics: m\n    waivers:\n"
                "      - {metric: f1, reason: x, until: 2026-01-01}"
            ),
            "owner",
            "line 5",
        ),
        ("models:\n  a/b: {metrics: m}", "name", "line 2"),
        ("models:\n  a: {metrics: m, train: x, dvc: [y]}", "both", "line 2"),
        ("models: {}", "no model is named", "line 1"),
        ("models: !!python/object:os.system {}", "plain YAML", ""),
    ],
)
def test_a_broken_file_names_line_and_key(text: str, message: str, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    assert message in str(caught.value)
    assert where in caught.value.where
    assert caught.value.exit_code == 2


def test_an_unknown_key_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match="perhaps you meant 'predictions'"):
        parse_config("models:\n  a: {predicitons: p.csv}")


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("model: {}", "perhaps you meant 'models'"),
        ("models:\n  a: {metrics: m, gates: {f1: {slices: x}}}", "perhaps you meant 'slice'"),
        ("models:\n  a: {metrics: m, deploy: {prot: 1}}", "perhaps you meant 'port'"),
        ("models: {a: {metrics: m}}\ngates: {}", "is a key of a model"),
        ("models:\n  a: {metrics: m, tracking-uri: none}", "is a key of the whole file"),
        ("models:\n  a: {metrics: m, quux: 1}", "remove it"),
    ],
)
def test_what_is_suggested_may_stand_there(text: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("models:\n  a: {metrics: m, deploy: {target: x}}", "choose one of: docker, process"),
        ("models:\n  a: {metrics: m, secrets: API_KEY}", "    secrets: [API_KEY]"),
        ("models:\n  a: {metrics: m, task: x}", "binary, multiclass, regression"),
        ("models: {a: {metrics: m}}\non-inconclusive: pass", "estimate, warn, fail"),
        ("models: {a: {metrics: m}}\nalerts: {on: [x]}", "fail"),
        ("models: {a: {metrics: m}}\nlevel: 95", ""),
    ],
)
def test_a_value_that_is_none_of_a_few_lists_them(text: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    assert fix in caught.value.fix
    assert bool(caught.value.fix) == bool(fix)


def test_the_real_key_is_found_among_many_models() -> None:
    text = "models:\n" + "".join(f"  m{n}: {{metrics: m.json}}\n" for n in range(50))
    with pytest.raises(ConfigError) as caught:
        parse_config(text + "  bad: {metrics: m.json, port: 1}\n")
    assert "models.bad.port" in caught.value.where
    assert "line 52" in caught.value.where


def test_alias_bombs_are_refused() -> None:
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join(f'*a{n - 1}' for _ in range(10))}]\n" for n in range(1, 9)
    )
    with pytest.raises(ConfigError, match="too large"):
        parse_config(bomb)


@given(st.text(max_size=200))
def test_no_text_crashes_the_parser(text: str) -> None:
    try:
        parse_config(text)
    except ConfigError as error:
        assert error.what


def test_pyproject_and_dvc_are_found(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(
        "stages: {train: {cmd: x, metrics: [m.json: {cache: false}]}}"
    )
    assert load_config(tmp_path).models["model"].metrics == ["m.json"]
    (tmp_path / "pyproject.toml").write_text("[tool.mlops-ci.models.a]\nmetrics = 'm.json'\n")
    assert list(load_config(tmp_path).models) == ["a"]
    (tmp_path / "mlops-ci.yaml").write_text("models: {b: {metrics: m.json}}")
    found = find_config(tmp_path)
    assert found is not None
    assert found.name == "mlops-ci.yaml"


def test_no_configuration_says_what_to_paste(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="mlops-ci init"):
        load_config(tmp_path)


def test_a_limit_may_be_written_with_an_exponent() -> None:
    text = "models:\n  m:\n    predictions: p.csv\n    gates:\n      auc: {max-drop: 1e-3}\n"
    (gate,) = expand_gates(parse_config(text).models["m"].gates)
    assert gate.limit == 0.001


def test_a_value_that_cannot_be_is_said_with_its_line() -> None:
    with pytest.raises(ConfigError, match="month must be in") as error:
        parse_config("models:\n  m:\n    train: 2020-99-99\n")
    assert "line 3" in str(error.value)


@pytest.mark.parametrize(
    ("text", "said", "fix"),
    [
        (
            "models:\n",
            "models: expected keys with values, got nothing",
            "models:\n",
        ),
        ("models:\n  a: 3\n", "models.a: expected keys with values, got a whole number", "a:\n"),
        ("models:\n  a:\n    seeds: 1.5\n", "models.a.seeds: expected a whole number", ""),
        ("models:\n  a:\n    train: 3\n", "models.a.train: expected text or a list, got", ""),
        ("models:\n  a:\n    seeds:\n", "models.a.seeds: expected a whole number", "seeds: VALUE"),
    ],
)
def test_a_value_of_another_kind_is_said_in_words(text: str, said: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    assert said in str(caught.value)
    assert fix in str(caught.value)


@pytest.mark.parametrize("gate", ["{max: 0.1}", "{max: 0.1, slice: region=north}"])
def test_fairness_is_measured_between_the_groups_of_a_column(gate: str) -> None:
    text = f"""models:
  a:
    predictions: p.csv
    slices: [plan]
    gates:
      equalized_odds_difference: {gate}
"""
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    column = "region" if "region" in gate else "COLUMN"
    assert f"slices: [plan, {column}]\n" in str(caught.value)
    assert f"fairness: [{column}]\n" in str(caught.value)
    assert f"slice: {column}}}" in str(caught.value)

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.data import read_numbers
from mlops_ci.errors import ComparisonError, MlopsCiError, UsageError


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


JSON = '{"auc": 0.91, "test": {"f1": 1, "by": {"plan.a": -2e-3}}}'
YAML = "auc: 0.91\ntest:\n  f1: 1\n  by:\n    plan.a: -2e-3\n"
TOML = 'auc = 0.91\n[test]\nf1 = 1\n[test.by]\n"plan.a" = -2e-3\n'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.json", JSON),
        ("m.json", "\ufeff" + JSON),
        ("m.yaml", YAML),
        ("m.yml", YAML),
        ("m.toml", TOML),
    ],
)
def test_numbers_by_nested_name(tmp_path: Path, name: str, text: str) -> None:
    found = read_numbers(put(tmp_path, name, text))
    assert found.values == {"auc": 0.91, "test.f1": 1.0, "test.by.plan.a": -0.002}
    assert found.refused == {}


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("m.json", '{"x": NaN, "y": 1}', "it is nan, not a finite number"),
        ("m.json", '{"x": -Infinity, "y": 1}', "it is -inf, not a finite number"),
        ("m.json", '{"x": 1e400, "y": 1}', "it is inf, not a finite number"),
        ("m.json", '{"x": 1' + "0" * 400 + ', "y": 1}', "it is larger than a finite number"),
        ("m.json", '{"x": "0.93", "y": 1}', "it is the text '0.93', not a number"),
        ("m.json", '{"x": true, "y": 1}', "it is true, not a number"),
        ("m.json", '{"x": null, "y": 1}', "it is empty (null)"),
        ("m.json", '{"x": [0.9], "y": 1}', "it is a list, not a number"),
        ("m.yaml", "x: .nan\ny: 1", "it is nan, not a finite number"),
        ("m.yaml", "x: 1.0e+400\ny: 1", "it is inf, not a finite number"),
        ("m.yaml", "x: 1e400\ny: 1", "it is inf, not a finite number"),
        ("m.yaml", "x: yes\ny: 1", "it is true, not a number"),
        ("m.yaml", "x: '0.93'\ny: 1", "it is the text '0.93', not a number"),
        ("m.yaml", "x: 2024-01-01\ny: 1", "it is a date, not a number"),
        ("m.yaml", "x:\ny: 1", "it is empty (null)"),
        ("m.toml", "x = nan\ny = 1", "it is nan, not a finite number"),
        ("m.toml", "x = false\ny = 1", "it is false, not a number"),
    ],
)
def test_what_is_no_number_keeps_its_name_and_the_reason(
    tmp_path: Path, name: str, text: str, why: str
) -> None:
    found = read_numbers(put(tmp_path, name, text))
    assert found.values == {"y": 1.0}
    assert found.refused == {"x": why}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m.json", "", "is empty"),
        ("m.json", "  \n", "is empty"),
        ("m.json", "{}", "holds no number"),
        ("m.json", "[1, 2]", "no values by name"),
        ("m.json", "0.9", "no values by name"),
        ("m.json", '{"auc": 0.9', "not valid JSON"),
        ("m.json", '{"auc": 0.9} {"auc": 1}', "not valid JSON"),
        ("m.json", '{"auc": 0.9, "auc": 0.99}', "'auc' stands twice"),
        ("m.json", '{"a": {"b": 1}, "a.b": 2}', "'a.b' stands twice"),
        ("m.json", '{"a": {"b": "x"}, "a.b": 2}', "'a.b' stands twice"),
        ("m.json", '{"a":' * 100 + "1" + "}" * 100, "too deeply nested"),
        ("m.json", '{"a":' * 100_000, "too deeply nested"),
        ("m.json", '{"a": 1' + "0" * 5000 + "}", "not valid JSON"),
        ("m.json", json.dumps({str(n): n for n in range(100_001)}), "more than 100,000"),
        ("m.yaml", "a: 1\na: 2", "stands twice"),
        ("m.yaml", "a: [", "not valid YAML"),
        ("m.yaml", "a: 2020-99-99", "cannot be what it looks like"),
        ("m.yaml", "a: !!int x", "cannot be what it looks like"),
        ("m.yaml", "a: !!python/object/apply:os.system [id]", "not plain YAML"),
        ("m.yaml", "a: &a [*a]", "too deeply nested"),
        ("m.yaml", "{a: " * 3000, "not valid YAML|nested"),
        ("m.yaml", "a: &a [1,1,1,1,1,1,1,1,1]\n" + "\n".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]" for n in range(9)
        ), "too large"),
        ("m.yaml", "a: 1 #" + "x" * 1_100_000, "too large"),
        ("m.toml", "a = 1\na = 2", "not valid TOML"),
        ("m.toml", "[a", "not valid TOML"),
    ],
)  # fmt: skip
def test_files_that_are_broken_as_a_whole(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(ComparisonError, match=words) as error:
        read_numbers(put(tmp_path, name, text))
    assert error.value.exit_code == 3
    assert name in str(error.value)
    assert error.value.fix


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not there"):
        read_numbers(tmp_path / "m.json")


NAMES = st.text("abcxyz_/ é", min_size=1, max_size=6)
TREES = st.recursive(
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9),
    lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=4),
    max_leaves=12,
).filter(lambda tree: isinstance(tree, dict))


def flat(tree: Any, path: tuple[str, ...] = ()) -> dict[str, float]:
    if not isinstance(tree, dict):
        return {".".join(path): float(tree)}
    return {k: v for key, value in tree.items() for k, v in flat(value, (*path, key)).items()}


@settings(deadline=None, max_examples=100)
@given(TREES)
def test_json_and_yaml_give_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("numbers")
    expected = flat(tree)
    assert read_numbers(put(folder, "m.json", json.dumps(tree))).values == expected
    text = yaml.safe_dump(tree, allow_unicode=True)
    assert read_numbers(put(folder, "m.yaml", text)).values == expected


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(["json", "yaml", "toml"]),
    st.text(max_size=80) | st.text('{}[]":,=.\n -&*!?eE0123456789naif#', max_size=80),
)
def test_any_text_is_numbers_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, ending: str, text: str
) -> None:
    path = put(tmp_path_factory.mktemp("any"), f"m.{ending}", text)
    try:
        found = read_numbers(path)
    except MlopsCiError as error:
        assert error.exit_code in (2, 3)
        return
    assert all(math.isfinite(value) for value in found.values.values())

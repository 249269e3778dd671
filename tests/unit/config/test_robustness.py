"""A perturbation that nobody can answer, or that changes nothing, is refused with its line."""

from __future__ import annotations

import pytest

from mlops_ci.config import expand_robustness, parse_config
from mlops_ci.errors import ConfigError

HEAD = "models:\n  m:\n    predictions: p.csv\n"
FULL = HEAD + "    predict: python predict.py\n    features: f.csv\n    robustness: "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FULL + "{}", "nothing is changed"),
        (FULL + "{noise: []}", "nothing is changed"),
        (FULL + "{noise: {sd: 0}}", "> 0"),
        (FULL + "{noise: {sd: .inf}}", "changes nothing that could be measured"),
        (FULL + "{scale: {column: age, factor: 1}}", "changes nothing that could be measured"),
        (FULL + "{missing: {share: 1.5}}", "<= 1"),
        (FULL + "{prior: {positive: 1}}", "< 1"),
        (FULL + "{noise: {sd: 0.1, max-drop: .inf}}", "a limit must be finite"),
        (FULL + "{noize: {sd: 0.1}}", "unknown key 'noize'"),
        (FULL + "{noise: {sdd: 0.1}}", "unknown key 'sdd'"),
        (HEAD + "    predict: x\n    robustness: {noise: {sd: 0.1}}", "`features` does not name"),
        (HEAD + "    features: f.csv\n    robustness: {noise: {sd: 0.1}}", "who answers"),
        (HEAD + "    features: ../f.csv", "leads out of the project"),
        ("models:\n  m:\n    metrics: m.json\n    robustness: {prior: {positive: 0.5}}", "on rows"),
    ],
)
def test_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_config(text + "\n")
    assert said in error.value.what
    assert "line" in error.value.where


def test_near_names_are_named() -> None:
    for text, near in (("{noize: {sd: 0.1}}", "'noise'"), ("{noise: {sdd: 0.1}}", "'sd'")):
        with pytest.raises(ConfigError) as error:
            parse_config(FULL + text)
        assert near in error.value.fix


def test_a_prior_needs_no_features_and_lists_are_several() -> None:
    config = parse_config(HEAD + "    robustness: {prior: [{positive: 0.5}, {positive: 0.1}]}\n")
    found = expand_robustness(config.models["m"].robustness)
    assert [(one.kind, one.amount, one.max_drop) for one in found] == [
        ("prior", 0.5, None),
        ("prior", 0.1, None),
    ]
    assert expand_robustness(None) == ()

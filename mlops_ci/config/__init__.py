"""`mlops-ci.yaml` (or `[tool.mlops-ci]`, or a bare `dvc.yaml`), typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.lazy import names_of

if TYPE_CHECKING:
    from mlops_ci.config.contract import Contract, Term, expand_contract
    from mlops_ci.config.load import find_config, load_config, parse_config
    from mlops_ci.config.model import (
        Alarm,
        Alerts,
        Columns,
        Config,
        Deploy,
        Function,
        Gate,
        Limits,
        Model,
        Plots,
        Policy,
        Price,
        Store,
        Waiver,
        expand_gates,
    )
    from mlops_ci.config.robustness import Perturbation, Robustness, expand_robustness

__all__ = [
    "Alarm",
    "Alerts",
    "Columns",
    "Config",
    "Contract",
    "Deploy",
    "Function",
    "Gate",
    "Limits",
    "Model",
    "Perturbation",
    "Plots",
    "Policy",
    "Price",
    "Robustness",
    "Store",
    "Term",
    "Waiver",
    "expand_contract",
    "expand_gates",
    "expand_robustness",
    "find_config",
    "load_config",
    "parse_config",
]
PLACES = {
    "contract": ("Contract", "Term", "expand_contract"),
    "load": ("find_config", "load_config", "parse_config"),
    "model": (
        "Alarm",
        "Alerts",
        "Columns",
        "Config",
        "Deploy",
        "Function",
        "Gate",
        "Limits",
        "Model",
        "Plots",
        "Policy",
        "Price",
        "Store",
        "Waiver",
        "expand_gates",
    ),
    "robustness": ("Perturbation", "Robustness", "expand_robustness"),
}
__getattr__ = names_of(__name__, PLACES)

"""`mlops-ci.yaml` (or `[tool.mlops-ci]`, or a bare `dvc.yaml`), typed."""

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

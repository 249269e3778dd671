"""Records are frozen: a changed one is a new one. (The library's own `replace` is not imported
here: this room keeps to numpy, scipy.special and the standard library.)
"""

from __future__ import annotations

from typing import Any, TypeVar

from mlops_ci.config.model import Gate, Policy
from mlops_ci.records.findings import ContractResult, RobustnessResult
from mlops_ci.records.results import GateResult, MetricResult

Record = TypeVar("Record", Gate, GateResult, Policy, MetricResult, ContractResult, RobustnessResult)


def fields_of(
    record: Gate | GateResult | Policy | MetricResult | ContractResult | RobustnessResult,
) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


def replaced(record: Record, **changes: Any) -> Record:
    return type(record)(**{**fields_of(record), **changes})

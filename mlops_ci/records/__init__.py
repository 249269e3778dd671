"""The JSON that a step leaves for the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.lazy import names_of

if TYPE_CHECKING:
    from mlops_ci.records.comparison import Comparison, Resolution
    from mlops_ci.records.evaluation import Artifact, Evaluation
    from mlops_ci.records.files import Folder, read_record, record_schema, write_record
    from mlops_ci.records.findings import Decomposition, LeftOut
    from mlops_ci.records.results import GateResult, MetricResult, Paired, RowCounts, Verdict
    from mlops_ci.records.shipping import Build, Deployment, Push, Rollback
    from mlops_ci.records.training import Environment, Report, Training

__all__ = [
    "Artifact",
    "Build",
    "Comparison",
    "Decomposition",
    "Deployment",
    "Environment",
    "Evaluation",
    "Folder",
    "GateResult",
    "LeftOut",
    "MetricResult",
    "Paired",
    "Push",
    "Report",
    "Resolution",
    "Rollback",
    "RowCounts",
    "Training",
    "Verdict",
    "read_record",
    "record_schema",
    "write_record",
]
PLACES = {
    "comparison": ("Comparison", "Resolution"),
    "evaluation": ("Artifact", "Evaluation"),
    "files": ("Folder", "read_record", "record_schema", "write_record"),
    "findings": ("Decomposition", "LeftOut"),
    "results": ("GateResult", "MetricResult", "Paired", "RowCounts", "Verdict"),
    "shipping": ("Build", "Deployment", "Push", "Rollback"),
    "training": ("Environment", "Report", "Training"),
}
__getattr__ = names_of(__name__, PLACES)

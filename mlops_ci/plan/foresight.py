"""What would only fail after a training, found before it."""

from __future__ import annotations

from mlops_ci.config import Model
from mlops_ci.config.model import LEAKAGE
from mlops_ci.engines.allowed import allowed_environment
from mlops_ci.errors import DOCS, ConfigError
from mlops_ci.verdict.history import RESOURCES
from mlops_ci.verdict.names import known_metric, unknown_metric


def foresee(name: str, model: Model) -> None:
    """Raises ConfigError for a key of ours in `secrets:`, and for a gate that nothing can answer.
    What a `metrics:` file will hold nobody knows yet.
    """
    allowed_environment({}, model.secrets)
    if model.metrics:
        return
    own = (*model.columns.directions, *model.functions, *RESOURCES, LEAKAGE)
    for metric in model.gates:
        if metric not in own and known_metric(metric) is None:
            error = unknown_metric(metric, own)
            raise ConfigError(
                error.what,
                where=f"mlops-ci.yaml, models.{name}.gates.{metric}",
                fix=f"{error.fix}\n{FROM_FILES}",
                link=f"{DOCS}/verdict.md",
            )


FROM_FILES = "or name the file that holds it:\n    metrics: out/metrics.json"

"""What came of a plan → what the report says."""

from __future__ import annotations

from mlops_ci.plan.outcome import ModelOutcome, Outcomes
from mlops_ci.report import Links, Report, Section, failure_of, report_of


def report_outcomes(outcomes: Outcomes, links: Links | None = None, **names: str) -> Report:
    """One section a model. `names`: what a reader calls the sides (`base_name`, `head_name`)."""
    if outcomes.base is not None:
        names.setdefault("base_name", outcomes.base.name)
    return report_of([section_of_outcome(model) for model in outcomes.models], links, **names)


def section_of_outcome(model: ModelOutcome) -> Section:
    told = model.comparison.notes if model.comparison is not None else ()
    notes = (*model.notes, *(model.evaluation.notes if model.evaluation is not None else ()))
    return Section(
        model=model.name,
        state="live" if model.error is None and "deploy" in model.shipped else model.state,
        comparison=model.comparison,
        training=model.training,
        base_training=model.base_training,
        evaluation=model.evaluation,
        base_evaluation=model.base_evaluation,
        failure=failure_of(model.error, model.failed_step or "run") if model.error else None,
        shipped=model.shipped,
        notes=tuple(note for note in notes if note not in told),
        why=model.why,
    )

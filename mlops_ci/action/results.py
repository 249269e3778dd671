"""What was found → conclusions of checks and outputs of the action."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal, get_args

from mlops_ci.config import find_config
from mlops_ci.github.checks import TEXT_BYTES, Annotation, Conclusion, Conclusive, worst
from mlops_ci.github.places import annotate_gates, annotate_parameters, annotate_pipeline
from mlops_ci.project import Project
from mlops_ci.records import Build, Deployment, Push, Rollback
from mlops_ci.report import (
    Report,
    Section,
    headline,
    render_summary,
    report_headline,
    report_of,
)
from mlops_ci.steps.key import PARAMS

OUTPUTS = {
    "verdict": "pass, fail, inconclusive or ungated: the worst of all models; untouched when the "
    "event concerns none, error when there is none.",
    "report-path": "The report as an HTML page, relative to the workspace.",
    "comparison-path": "The comparison as JSON, relative to the workspace; one line a model.",
    "comment-url": "The comment on the pull request.",
    "check-url": "The check run `mlops-ci verdict`.",
    "image": "The image's repository; one line a model.",
    "digest": "The image's digest, sha256:…; one line a model.",
    "deployed-url": "Where the deployed model answers; one line a model.",
}
Judged = Literal["error", "fail", "inconclusive", "ungated", "pass", "untouched"]
VERDICTS: tuple[Judged, ...] = get_args(Judged)  # the worst first


def verdict_of(section: Section) -> Judged:
    """A policy that blocks on what is undecided leaves it `inconclusive`."""
    if section.state == "untouched":
        return "untouched"
    if section.state == "failed" or section.comparison is None:
        return "error"
    return section.comparison.verdict


def worst_verdict(sections: Iterable[Section]) -> Judged:
    found = {verdict_of(section) for section in sections}
    return next((verdict for verdict in VERDICTS if verdict in found), "untouched")


def conclusion_of(section: Section) -> Conclusion:
    """A first run without gates is a success: there is nothing to warn of yet."""
    comparison = section.comparison
    if section.state == "untouched":
        return "success"
    if section.state == "failed" or comparison is None or comparison.blocks:
        return "failure"
    if comparison.verdict == "pass" or (
        comparison.base is None and comparison.verdict == "ungated"
    ):
        return "success"
    return "neutral"


def conclusive_model(report: Report, section: Section, project: Project | None) -> Conclusive:
    """The check of one model, with remarks at the lines of the gates that did not pass."""
    alone = report_of(
        [section], report.links, base_name=report.base_name, head_name=report.head_name
    )
    remarks = _remarks(section, project) if project is not None else ()
    summary = render_summary(replace(alone, prices=report.prices), TEXT_BYTES)
    return Conclusive(conclusion_of(section), headline(section), summary, remarks)


def conclusive(report: Report) -> Conclusive:
    """The check to require: over all models."""
    conclusion = worst(conclusion_of(section) for section in report.models)
    summary = render_summary(report, TEXT_BYTES)
    return Conclusive(conclusion, str(report_headline(report)), summary)


def _remarks(section: Section, project: Project) -> tuple[Annotation, ...]:
    path = find_config(project.root)
    if path is None or section.comparison is None:
        return ()
    inside = f"{project.prefix}{path.name}"
    text = path.read_text("utf-8", "replace")
    gates = annotate_gates(inside, text, section.model, section.gates)
    return (*gates, *_changed_values(section, project), *_changed_pipeline(section, project))


def _changed_pipeline(section: Section, project: Project) -> list[Annotation]:
    """At their lines of dvc.yaml, of the stages that make this model."""
    comparison, model = section.comparison, project.config.models.get(section.model)
    base = comparison.base.commit if comparison is not None and comparison.base else None
    path = project.root / "dvc.yaml"
    if base is None or model is None or model.dvc is None or not path.is_file():
        return []
    inside = f"{project.prefix}{path.name}"
    before = project.git.show(base, inside)
    if before is None:
        return []
    texts = (before.decode("utf-8", "replace"), path.read_text("utf-8", "replace"))
    return annotate_pipeline(inside, section.model, texts, model.dvc)


def _changed_values(section: Section, project: Project) -> Iterator[Annotation]:
    """At their lines of params.yaml; names of all files but the first carry the file's path."""
    head, base = section.training, section.base_training
    if head is None or base is None:
        return
    files = project.config.models[section.model].params
    for name in PARAMS if files is None else files:
        path = project.root / name
        if not path.is_file():
            continue
        prefix = f"{name}:" if any(key.startswith(f"{name}:") for key in head.parameters) else ""
        values = [
            {key.removeprefix(prefix): one for key, one in side.items() if key.startswith(prefix)}
            for side in (base.parameters, head.parameters)
        ]
        text = path.read_text("utf-8", "replace")
        yield from annotate_parameters(f"{project.prefix}{name}", text, section.model, *values)


def shipped_outputs(records: Iterable[Any]) -> dict[str, str]:
    """`image`, `digest` and `deployed-url`, of whatever was built, pushed or deployed."""
    found: dict[str, list[str]] = {"image": [], "digest": [], "deployed-url": []}
    for record in records:
        if isinstance(record, Build | Push):
            found["image"].append(record.image)
            found["digest"].append(record.digest)
        if isinstance(record, Deployment | Rollback) and record.url:
            found["deployed-url"].append(record.url)
    return {name: "\n".join(values) for name, values in found.items()}

"""How it was measured: sides, columns, estimators, notes; and what was shipped."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_ci.records import Comparison, Resolution
from mlops_ci.records.comparison import Side
from mlops_ci.records.findings import WeakSlice
from mlops_ci.report.effects import effect_notes
from mlops_ci.report.labels import is_file, metric_name, short
from mlops_ci.report.lineage import stale_note
from mlops_ci.report.model import Section
from mlops_ci.report.numbers import count, decimals_of, show, show_bytes, show_percent
from mlops_ci.report.phrase import Phrase, code, join, quoted, text

MOST = 20
OPEN = 3  # notes
URGENT = ("Leakage:", " is waived by ")  # what makes a verdict worth less than it looks
WORST = 1  # slices that a search has found
LEAST_P = 0.001


def facts_of(section: Section) -> tuple[Phrase, ...]:
    """One phrase a line, the same whenever and wherever the same records are reported."""
    comparison = section.comparison
    if comparison is None:
        return ()
    found = [*_measured(comparison), *_columns(comparison.resolution), *_methods(comparison)]
    found += [*_mcnemar(comparison), *_retraining(comparison), *_used(comparison)]
    rest = dict.fromkeys((*comparison.notes, *section.notes))
    shown = notes_of(section)
    found += [quoted(note) for note in rest if note not in shown][:MOST]
    return tuple(found)


def notes_of(section: Section) -> tuple[str, ...]:
    """What a reader should know about this comparison before trusting it: not folded away."""
    comparison = section.comparison
    if comparison is None:
        return ()
    weak = (_weak(found) for found in comparison.weak_slices[:WORST])
    said = tuple(dict.fromkeys(comparison.notes))
    urgent = tuple(note for note in said if any(word in note for word in URGENT))
    others = tuple(note for note in said if note not in urgent)[:OPEN]
    return (*urgent, *weak, *stale_note(comparison), *effect_notes(section), *others)


def _weak(found: WeakSlice) -> str:
    """Where to look first. How sure the search is (`q`) stays in the record: here it decides
    nothing.
    """
    parts = (part.replace("`", "'") for part in found.slice.split(" & "))
    place = " and ".join(f"`{part}`" for part in parts)
    share = f"{count(found.worse)} of the {count(found.worse_of_all)} rows that got worse"
    return (
        f"{share} lie where {place} ({count(found.n)} rows). Found by a search through "
        f"{count(found.tried)} slices and adjusted for that; it judges nothing."
    )


def _measured(comparison: Comparison) -> Iterator[Phrase]:
    if comparison.base is not None and is_file(comparison.head):
        yield (
            text("Base is ")
            + _side(comparison.base)
            + text(", head is ")
            + _side(comparison.head)
            + text(".")
        )
    level = show_percent(comparison.level)
    policy = code(f"on-inconclusive: {comparison.policy}")
    yield text(f"Intervals are two-sided at {level}; ") + policy + text(".")


def _side(side: Side) -> Phrase:
    said = code(side.name)
    if side.commit is not None:
        said += text(" at ") + code(short(side.commit))
    return said + (text(f" ({side.source})") if side.source else Phrase())


def _columns(resolution: Resolution | None) -> Iterator[Phrase]:
    if resolution is None:
        return
    task = text(f"A {resolution.task} task ({resolution.task_from})")
    classes = join((code(name) for name in resolution.classes[:MOST]), ", ")
    if resolution.positive is not None:
        task += text(", positive class ") + code(resolution.positive)
    elif len(resolution.classes) > 1:
        task += text(f", {count(len(resolution.classes))} classes: ") + classes
    if resolution.threshold is not None:
        task += text(f", threshold {resolution.threshold:g}")
    yield task + text(".")
    if resolution.written_by is not None:
        yield quoted(f"Read as a {resolution.written_by}.")
    roles = (
        text(f"{role} ")
        + join((code(name) for name in names[:MOST]), ", ")
        + text(f" ({resolution.found[role]})" if role in resolution.found else "")
        for role, names in resolution.columns.items()
        if names
    )
    named = join(roles, "; ")
    if named:
        yield text("Columns: ") + named + text(".")


def _methods(comparison: Comparison) -> Iterator[Phrase]:
    """Each estimator once, with the metrics that it measured."""
    used: dict[str, dict[str, None]] = {}
    for metric in (*comparison.metrics, *comparison.resources):
        if metric.method and metric.low is not None:
            used.setdefault(metric.method, {})[metric.metric] = None
    for method, metrics in list(used.items())[:MOST]:
        names = join((metric_name(name) for name in list(metrics)[:MOST]), ", ")
        yield text(f"{method}: ") + names + text(".")


def _mcnemar(comparison: Comparison) -> Iterator[Phrase]:
    for metric in comparison.metrics:
        if metric.mcnemar is not None and metric.slice is None:
            p = "under 0.001" if metric.mcnemar < LEAST_P else f"{metric.mcnemar:.3f}"
            name = metric_name(metric.metric)
            yield name + text(f": p = {p} by McNemar's test (mid-p), which decides nothing.")


def _retraining(comparison: Comparison) -> Iterator[Phrase]:
    """How much another seed moves each change, beside what other rows would."""
    known = [one for one in comparison.metrics if one.seed_sd is not None and one.slice is None]
    if not known:
        return
    each = (
        metric_name(one.metric) + text(f" {show(one.seed_sd, decimals_of(one.seed_sd))}")
        for one in known[:MOST]
    )
    yield (
        text("Retraining noise of the change, as a standard deviation: ")
        + join(each, ", ")
        + text(".")
    )


def _used(comparison: Comparison) -> Iterator[Phrase]:
    if comparison.evaluations is None or comparison.evaluations < 2:
        return
    before = comparison.evaluations - 1
    models = "one commit" if before == 1 else f"{count(before)} commits"
    yield text(
        f"Evaluation {count(comparison.evaluations)} on this test set: {models} of main came "
        "before (pull requests are not counted). The more often it is used, the less it says of "
        "new data."
    )


def shipped_rows(section: Section) -> tuple[tuple[str, str, Phrase], ...]:
    """(mark, step, what) of build, push, deploy."""
    rows: list[tuple[str, str, Phrase]] = []
    build, push, deployment = section.build, section.push, section.deployment
    if build is not None:
        size = f", {show_bytes(build.size_bytes)}" if build.size_bytes else ""
        rows.append(("✅", "image", text("the model that was evaluated") + text(size)))
    if push is not None:
        rows.append(("✅", "pushed", code(_reference(push.reference))))
    if deployment is not None:
        live = deployment.status == "live"
        where = text("to ") + code(deployment.target)
        if deployment.url:
            where += text(": ") + code(deployment.url)
        said = where if live else where + text(f": {deployment.status}")
        rows.append(("✅" if live else "❌", "deployed", said))
        if deployment.previous:
            rows.append(_before(deployment.previous, live=live))
        rows += [("", "", quoted(note)) for note in deployment.notes[:MOST]]
    return tuple(rows)


def _before(reference: str, *, live: bool) -> tuple[str, str, Phrase]:
    """The version before: kept beside the one that is live, or what runs still."""
    said = code(_reference(reference))
    if not live:
        return "↩️", "running", said + text(", as before")
    return "↩️", "kept", said + text(" (") + code("mlops-ci rollback") + text(" puts it back)")


def _reference(reference: str) -> str:
    """`ghcr.io/acme/churn@sha256:9f2c1a7b…`"""
    name, at, digest = reference.partition("@sha256:")
    return f"{name}@sha256:{digest[:12]}…" if at and len(digest) > 12 else reference

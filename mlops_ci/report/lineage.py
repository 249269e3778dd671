"""What the two models were made of. Everything here is the same whenever the same commits are
compared; what varies by run (its identity in MLflow, durations) stands in the footer.
"""

from __future__ import annotations

from collections.abc import Iterator

from mlops_ci.records import Comparison, Evaluation, Training
from mlops_ci.records.comparison import Side
from mlops_ci.report.labels import is_file, short
from mlops_ci.report.model import Report, Section
from mlops_ci.report.phrase import Phrase, code, join, text

MOST = 20
DIGEST = 12  # characters of a digest
FAR = 50  # commits
OLD = 30  # days


def lineage_of(section: Section) -> tuple[Phrase, ...]:
    """One phrase a line; empty where only files are known."""
    head, base = section.training, section.base_training
    comparison = section.comparison
    if comparison is not None and is_file(comparison.head):
        return ()
    found = [*_commits(section), *_data(head, base)]
    evaluated = _rows(section.evaluation, section.base_evaluation)
    return tuple(found + ([evaluated] if evaluated else []))


def _commits(section: Section) -> Iterator[Phrase]:
    comparison, training = section.comparison, section.training
    if comparison is None:
        if training is not None:
            yield text("Candidate: commit ") + code(short(training.commit)) + text(".")
        return
    yield text("Candidate: commit ") + code(short(comparison.head.commit or "")) + text(".")
    base = comparison.base
    if base is not None and base.commit is not None:
        said = text("Baseline: ") + code(base.name) + text(" at ") + code(short(base.commit))
        said += text(f" ({base.source})" if base.source else "")
        age = age_of(base)
        yield said + (text(", ") + age if age else Phrase()) + text(".")


def age_of(base: Side) -> Phrase:
    """`63 commits behind main, measured 41 days before`; empty for a fresh one."""
    said = []
    if base.behind:
        commits = "1 commit" if base.behind == 1 else f"{base.behind:,} commits"
        said.append(text(f"{commits} behind ") + code(base.name))
    if base.days:
        said.append(text(f"measured {base.days:,} {'day' if base.days == 1 else 'days'} before"))
    return join(said, ", ")


def stale_note(comparison: Comparison) -> Iterator[str]:
    """Of a baseline that is old, beside the table: what was merged since is not in it."""
    base = comparison.base
    if base is None or ((base.behind or 0) < FAR and (base.days or 0) < OLD):
        return
    yield (
        f"The baseline is old: {age_of(base)}. Bring the branch up to date to be compared with "
        f"what {base.name} is now."
    )


def _data(head: Training | None, base: Training | None) -> Iterator[Phrase]:
    if head is None or not head.data:
        return
    before = base.data if base is not None else {}
    for name, digest in sorted(head.data.items())[:MOST]:
        said = text("Data: ") + code(name) + text(" ") + code(short_digest(digest))
        was = before.get(name)
        if was is not None and was != digest:
            said += text(", was ") + code(short_digest(was))
        yield said + text(".")
    if len(head.data) > MOST:
        yield text(f"Data: {len(head.data) - MOST:,} more.")


def _rows(head: Evaluation | None, base: Evaluation | None) -> Phrase:
    if head is None or head.rows_digest is None:
        return Phrase()
    said = text("Evaluation rows: ") + code(short_digest(head.rows_digest))
    was = base.rows_digest if base is not None else None
    if was is None:
        return said + text(".")
    if was == head.rows_digest:
        return said + text(", the same for both.")
    return said + text(", the baseline's were ") + code(short_digest(was)) + text(".")


def short_digest(digest: str) -> str:
    """`sha256:9f2c1a7b9f2c…`"""
    kind, colon, value = digest.rpartition(":")
    return f"{kind}{colon}{value[:DIGEST]}…" if len(value) > DIGEST else digest


def made_by(section: Section) -> Iterator[Phrase]:
    """What varies by run, for the page alone: key, model, predictions, tracker's run, image."""
    training, evaluation, push = section.training, section.evaluation, section.push
    if training is not None and training.key:
        yield text("Training key: ") + code(short_digest(training.key)) + text(".")
    if evaluation is not None and evaluation.artifact is not None:
        digest = code(short_digest(evaluation.artifact.digest))
        yield text("Model: ") + code(evaluation.artifact.path) + text(" ") + digest + text(".")
    if evaluation is not None and evaluation.predictions is not None:
        digest = code(short_digest(evaluation.predictions.digest))
        yield text("Predictions: ") + digest + text(".")
    if training is not None and training.tracker_run:
        address = without_password(training.tracker or "")
        where = text(" at ") + code(address) if address else Phrase()
        yield text("MLflow run: ") + code(training.tracker_run) + where + text(".")
    if push is not None:
        yield text("Image: ") + code(push.reference) + text(".")


def without_password(address: str) -> str:
    """`https://team:secret@mlflow.example` → `https://mlflow.example`"""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def made_in(report: Report) -> Iterator[Phrase]:
    """Where the trackers have the runs of the candidates."""
    runs = {
        section.training.tracker_run
        for section in report.models
        if section.training is not None and section.training.tracker_run
    }
    if runs:
        names = join((code(run[:8]) for run in sorted(runs)[:3]), ", ")
        yield text("MLflow run ") + names

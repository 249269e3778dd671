"""May it be merged? The first words below every headline."""

from __future__ import annotations

from mlops_ci.report.model import PROPOSED, Report, Section
from mlops_ci.report.numbers import count
from mlops_ci.report.phrase import Phrase, code, strong, text

AFTER = ("build", "push", "deploy", "store")  # steps that follow a verdict


def permission(section: Section, report: Report) -> Phrase:
    """`May be merged`, `Must not be merged`; of a commit that is merged: what became of it."""
    comparison = section.comparison
    blocks = comparison is None or comparison.blocks
    if section.state == "live":
        return strong("Merged")
    if report.head_name != PROPOSED:
        return strong("Not shipped" if blocks else "Fine")
    if sum(one.state != "untouched" for one in report.models) > 1:  # the others have a say, too
        return strong("Stops the merge" if blocks else "Does not stop the merge")
    if section.state == "failed":
        return strong("Must not be merged yet")
    return strong("Must not be merged" if blocks else "May be merged")


def lead_of_failure(section: Section, report: Report) -> Phrase:
    step = section.failure.step if section.failure else ""
    if step in AFTER:
        return text("The verdict below stands; what ran before is still running.")
    what = text(": nothing was compared. The result on ") + code(report.base_name)
    return permission(section, report) + what + text(" stands.")


def lead_of_many(report: Report) -> Phrase:
    """One sentence over all models that were looked at."""
    touched = [section for section in report.models if section.state != "untouched"]
    stopped = [section for section in touched if _stops(section)]
    if report.head_name != PROPOSED or not touched:
        return Phrase()
    if all(section.state == "live" for section in touched):
        return strong("Merged") + text(".")
    if stopped:
        verb = "stops" if len(stopped) == 1 else "stop"
        which = f"{count(len(stopped))} of {count(len(touched))} models"
        if len(stopped) == len(touched) > 1:
            which = "both models" if len(stopped) == 2 else f"all {count(len(stopped))} models"
        return strong("Must not be merged") + text(f": {which} {verb} it.")
    return strong("May be merged") + text(": no model stops it.")


def _stops(section: Section) -> bool:
    comparison = section.comparison
    return section.state == "failed" or (comparison is not None and comparison.blocks)

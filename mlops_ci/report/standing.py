"""How a model stands when no gate speaks: nothing is required of it, or it is shipped."""

from __future__ import annotations

from mlops_ci.records import Comparison
from mlops_ci.report.model import Section
from mlops_ci.report.phrase import Phrase, code, text


def nothing_required(comparison: Comparison) -> tuple[str, str]:
    """Why a model without a verdict has none: for the headline, and for the sentence below."""
    drops = [one for one in comparison.robustness if one.limit is not None]
    waived = [one.waived for one in comparison.gates]
    waived += [one.waived for one in comparison.contract] + [one.waived for one in drops]
    if not waived and comparison.waiting and comparison.base is not None:
        return "has no gate to hold yet", "its gate waits for the merge"
    if not waived:
        return "has no gates", "no gate says what it may lose"
    if None not in waived:
        what = "its only gate is waived" if len(waived) == 1 else "all of its gates are waived"
        return "is let through", what
    return "has no gate that is required", "no gate is required"


def shipped_words(section: Section) -> Phrase:
    deployment = section.deployment
    if deployment is None:
        return text(" was pushed" if section.push else " was built")
    if deployment.status == "live":
        where = text(" at ") + code(deployment.url) if deployment.url else Phrase()
        return text(" is live") + where
    if deployment.status == "rolled-back":
        return text(" was put back: the new version was not healthy")
    return text(" was not deployed")

"""The report as one JSON document: the records as they are, with the sentences made of them."""

from __future__ import annotations

from typing import Any

import msgspec

from mlops_ci.report.forest import draw_gate
from mlops_ci.report.model import Report, Section
from mlops_ci.report.sentences import lead
from mlops_ci.report.words import headline, report_headline

SCHEMA = "mlops-ci/document/1"


def render_json(report: Report) -> str:
    """`models` in the order of the report; numbers of the records in full precision."""
    document = {
        "schema": SCHEMA,
        "headline": str(report_headline(report)),
        "models": [_section(section, report) for section in report.models],
        "links": msgspec.structs.asdict(report.links),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _section(section: Section, report: Report) -> dict[str, Any]:
    failure = section.failure
    return {
        "model": section.model,
        "state": section.state,
        "headline": headline(section),
        "lead": str(lead(section, report)),
        "forest": [draw_gate(gate, section.metric_of(gate)) for gate in section.gates],
        "comparison": section.comparison,
        "training": section.training,
        "shipped": section.shipped,
        "failure": None if failure is None else msgspec.structs.asdict(failure),
        "notes": list(section.notes),
    }

"""What a reader can do next: rows to collect, a column to write, a gate to paste."""

from __future__ import annotations

import json
import re
import shlex

from mlops_ci.records import Comparison, GateResult, MetricResult
from mlops_ci.report.contract import contract_blocks
from mlops_ci.report.model import Section
from mlops_ci.report.numbers import count, round_rows, show_exact
from mlops_ci.report.phrase import Phrase, capital, code, strong, text
from mlops_ci.report.words import main_metric

CAP = 100  # times the rows there are: beyond that a number of rows is no advice
POWER = "80 % power"
WITHOUT_ROWS = ("point", "point-beyond")
MISSING = {
    "missing-slice": "Evaluate on such rows again, or remove the gate.",
    "missing-metric": "Let the evaluation measure it, or remove the gate.",
}


def next_step(gate: GateResult, metric: MetricResult | None, comparison: Comparison) -> Phrase:
    unpaired = gate.reason == "unpaired" or _is_unpaired(gate)
    if gate.reason == "unknown-rows" or (unpaired and comparison.left_out is None):
        return (
            text("Write an ")
            + code("id")
            + text(" column with the same ids in both, to pair the rows.")
        )
    if gate.reason == "relabelled" or (gate.reason == "unscored" and comparison.decomposition):
        kept = "labels" if gate.reason == "relabelled" else "rows"
        return text(f"Keep the {kept}, or merge the change of the data by itself first.")
    if gate.reason == "unscored" or unpaired:
        return text("Evaluate on all rows of ") + code("main") + text("'s test set.")
    if gate.reason == "new-rows":
        again = text("With ") + code("predict:") + text(" and ") + code("data:")
        return again + text(" the model of base answers them too; or merge the new rows first.")
    if gate.reason in WITHOUT_ROWS:
        give = text("Give ") + code("predictions:") + text(" to get an interval, or accept the ")
        return give + text("number as it is: ") + code("accept: point") + text(".")
    if gate.reason == "not-assessed" and gate.slice is not None:
        return text("Evaluate more such rows, or gate by name the slices that have enough of them.")
    return text(MISSING[gate.reason]) if gate.reason in MISSING else rows_needed(gate, metric)


def remedy(section: Section) -> Phrase:
    """What to do about a failure that nobody has doubts of; empty where rows would decide."""
    comparison = section.comparison
    if comparison is None or not comparison.blocks or comparison.head.commit is None:
        return Phrase()
    waive = text(" (") + code("waivers:") + text(" on ") + code("main") + text(").")
    if any(gate.blocks for gate in section.gates):
        failed = any(gate.blocks and gate.verdict == "fail" for gate in section.gates)
        return text("Mend it, or have the gate waived") + waive if failed else Phrase()
    if not contract_blocks(section):
        return text("Mend it, or have it waived") + waive
    if any(term.blocks and term.verdict == "fail" for term in comparison.contract):
        return text("Mend the data, or have the term waived") + waive
    return text("Bring the file, or mend ") + code("contract:") + text(".")


def _is_unpaired(gate: GateResult) -> bool:
    """However many rows: the change of two samples that are not the same rows decides nothing."""
    return gate.evidence == "unpaired" and gate.quantity == "difference"


def rows_needed(gate: GateResult, metric: MetricResult | None) -> Phrase:
    """`5,000 to 14,000 rows would decide it (80 % power; the fewer if nothing changed, the more if
    it is as seen).`"""
    rows = metric.n if metric is not None else None
    if gate.reason not in ("straddles", "straddles-beyond") or not rows:
        return Phrase()
    if gate.rows_needed is None and metric is not None and metric.seed_sd:
        return text(f"Even {CAP}× these rows may not decide it: seeds differ by too much.")
    if gate.rows_needed is None:
        return text(f"Even {CAP}× these rows may not decide it ({POWER}).")
    few, many = sorted(gate.rows_needed)
    shown = _range_of_rows(few, many, rows)
    return strong(f"{shown} would decide it") + text(f" ({POWER}{_assumption(gate, rows)}).")


def _assumption(gate: GateResult, rows: int) -> str:
    """For which truth each end of the range is."""
    still, seen = gate.rows_needed or (0, 0)
    if round_rows(still) == round_rows(seen) or max(still, seen) <= rows:
        return ""
    unmoved = "if nothing changed" if gate.quantity == "difference" else "if it is as base's"
    ends = [(still, unmoved), (seen, "if it is as seen")]
    (few, fewer), (_, more) = sorted(ends)
    return f", {more}" if few <= rows else f"; the fewer {fewer}, the more {more}"


def _range_of_rows(few: int, many: int, rows: int) -> str:
    """At the lower end there may be no more rows than there are: then only the upper one tells."""
    least, most = count(round_rows(few)), count(round_rows(many))
    if many >= CAP * rows:
        beyond = f"more than {CAP}× these rows"
        return f"{least} to {beyond}" if rows < few < CAP * rows else capital(beyond)
    if many <= rows:
        return "A few more rows"
    if few <= rows:
        return f"Up to {most} rows"
    return f"About {least} rows" if least == most else f"{least} to {most} rows"


def paste(section: Section) -> tuple[str, str] | None:
    """What to paste so that there is a gate: (language, text); None where there is one."""
    comparison = section.comparison
    if comparison is None or comparison.gates or comparison.waiting or section.state == "live":
        return None
    if comparison.blocks:  # something else is to be done first
        return None
    metric = main_metric(section)
    if metric is None or metric.higher_is_better is None:
        return None
    first = comparison.base is None
    if comparison.head.commit is None and comparison.base is not None:
        files = shlex.join([comparison.base.name, comparison.head.name])
        drop = shlex.quote(f"{metric.metric}={show_exact(suggested_margin(metric))}")
        return "sh", f"mlops-ci compare {files} --max-drop {drop}"
    limit = f"max-drop: {show_exact(suggested_margin(metric))}"
    if first and metric.head_low is None and metric.head is None:
        return None
    lines = ("models:", f"  {_key(section.model)}:", "    gates:")
    return "yaml", "\n".join((*lines, f"      {_key(metric.metric)}: {{{limit}}}"))


def _key(name: str) -> str:
    """A name as a key of YAML, which reads `yes`, `1` and `a: b` as something else."""
    plain = re.fullmatch(r"[A-Za-z][\w./-]*", name, re.ASCII)
    words = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
    return name if plain and name.lower() not in words else json.dumps(name)


def suggested_margin(metric: MetricResult) -> float:
    """A round margin that these rows can decide: at least 1.5 half-widths, at least 1 %."""
    low, high = metric.low, metric.high
    half = (high - low) / 2 if low is not None and high is not None else 0.0
    value = abs(metric.head or 0.0)
    least = max(1.5 * half, 0.01 * (value if value > 1 else 1.0))
    exponent = 1.0
    while exponent > least:
        exponent /= 10
    while exponent * 10 <= least:
        exponent *= 10
    step = next(step for step in (1, 2, 5, 10) if step * exponent >= least * (1 - 1e-9))
    return float(f"{step * exponent:.1g}") if step != 10 else float(f"{10 * exponent:.1g}")

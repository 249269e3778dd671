"""Where a failed gate stands in the configuration file, and a changed value in params.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from mlops_ci.config.document import Document, Path, read_yaml
from mlops_ci.config.model import KINDS
from mlops_ci.errors import ConfigError
from mlops_ci.github.checks import Annotation
from mlops_ci.records import GateResult
from mlops_ci.verdict.names import known_metric

LEVEL: Literal["notice"] = "notice"
MOST = 50  # changed values
ABSENT = object()
WORDS = {"fail": "failed", "inconclusive": "undecided", "pass": "passed"}


def annotate_gates(
    path: str, text: str, model: str, gates: Iterable[GateResult]
) -> list[Annotation]:
    """One remark for every gate that is not passed, at its line of `mlops-ci.yaml`.

    `path` is relative to the repository. Files without known lines get their first.
    """
    document = _read(path, text)
    return [
        _annotation(path, _line(document, model, gate), model, gate)
        for gate in gates
        if gate.verdict != "pass"
    ]


def annotate_parameters(
    path: str, text: str, model: str, base: Mapping[str, object], head: Mapping[str, object]
) -> list[Annotation]:
    """One remark for every value of a YAML file that head changed or added, at its line. `base`,
    `head`: values by nested name, `optimizer.rate`."""
    document = _read(path, text)
    lines = {".".join(map(str, place)): line for place, line in document.lines.items()}
    return [
        Annotation(path, lines[name], f"{model}: {name} changed", _change(base, name, value), LEVEL)
        for name, value in head.items()
        if name in lines and (name not in base or base[name] != value)
    ][:MOST]


def annotate_pipeline(
    path: str, model: str, texts: tuple[str, str], stages: Sequence[str]
) -> list[Annotation]:
    """One remark for every value of dvc.yaml that head (the second text) changed or added, at its
    line; in `stages` (empty: in all) and in what belongs to no stage. An item of a list is known
    by what it says: where it stands means nothing.
    """
    base, head = (_leaves(_read(path, text).data) for text in texts)
    lines = _read(path, texts[1]).lines
    listed = {_item(place, value) for place, value in base.items()}
    found = []
    for place, value in head.items():
        known = place[:1] != ("stages",) or not stages or place[1] in stages
        if not known or place not in lines or _item(place, value) in listed:
            continue
        name = ".".join(str(part) for part in place if not isinstance(part, int))
        was = base.get(place, ABSENT) if isinstance(place[-1], str) else ABSENT
        if was is ABSENT or was != value:
            said = f"new: {value}" if was is ABSENT else f"{was} → {value}"
            title = f"{model}: {name} changed"
            found.append(Annotation(path, lines[place], title, said, LEVEL))
    return found[:MOST]


def _leaves(data: object, place: Path = ()) -> dict[Path, object]:
    """Every value that holds no others, by its path."""
    if isinstance(data, dict):
        parts: Iterable[tuple[str | int, object]] = ((str(k), v) for k, v in data.items())
    elif isinstance(data, list):
        parts = enumerate(data)
    else:
        return {place: data} if place else {}
    return {
        path: value for key, inner in parts for path, value in _leaves(inner, (*place, key)).items()
    }


def _item(place: Path, value: object) -> tuple[Path, str]:
    """A value and where it stands, but for its place in lists."""
    return tuple(part for part in place if isinstance(part, str)), repr(value)


def _change(base: Mapping[str, object], name: str, value: object) -> str:
    return f"{base[name]} → {value}" if name in base else f"new: {value}"


def _read(path: str, text: str) -> Document:
    if path.endswith((".yaml", ".yml")):
        try:
            return read_yaml(text, path)
        except ConfigError:
            pass
    return Document(None, {}, path)


def _annotation(path: str, line: int, model: str, gate: GateResult) -> Annotation:
    slice_ = f" [{gate.slice}]" if gate.slice else ""
    title = f"{model}: {gate.metric}{slice_} {WORDS[gate.verdict]}"
    found = "not measured" if gate.estimate is None else f"{gate.quantity} {gate.estimate:.6g}"
    if gate.low is not None and gate.high is not None:
        found += f" ({gate.low:.6g} … {gate.high:.6g})"
    message = f"{gate.kind} {gate.limit:g}: {found}; {gate.reason}"
    return Annotation(path, line, title, message, "failure" if gate.blocks else "warning")


def _line(document: Document, model: str, gate: GateResult) -> int:
    """The gate's own line, else its metric's, its model's, the first."""
    entry = document.data
    for key in ("models", model, "gates"):  # training may have rewritten the file since
        entry = entry.get(key) if isinstance(entry, dict) else None
    written = _key(entry if isinstance(entry, dict) else {}, gate.metric)
    entry = entry.get(written) if isinstance(entry, dict) else None
    base: Path = ("models", model, "gates", written)
    entries = [(base, entry)]
    if isinstance(entry, list):
        entries = [((*base, at), item) for at, item in enumerate(entry)]
    for place, limits in entries:
        if isinstance(limits, dict) and _asks(limits, gate):
            return document.lines.get((*place, gate.kind)) or document.lines.get(place, 1)
    known = (base[:n] for n in range(len(base), 0, -1) if base[:n] in document.lines)
    return next((document.lines[place] for place in known), 1)


def _key(gates: Mapping[object, object], metric: str) -> str:
    """Under which of a metric's names the file has it."""
    names = [str(name) for name in gates]
    same = (name for name in names if (found := known_metric(name)) and found.name == metric)
    return metric if metric in names else next(same, metric)


def _asks(limits: dict[str, object], gate: GateResult) -> bool:
    if gate.kind not in KINDS or limits.get(gate.kind) != gate.limit:
        return False
    asked = limits.get("slice")
    if asked == gate.slice:
        return True
    column = str(asked or "").removesuffix("=*")
    return str(asked or "").endswith("=*") and str(gate.slice or "").startswith(f"{column}=")

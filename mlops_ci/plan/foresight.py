"""What would only fail after a training, or never work, found before it."""

from __future__ import annotations

from difflib import get_close_matches

from mlops_ci.config import Gate, Model, Waiver, expand_contract, expand_gates, expand_robustness
from mlops_ci.config.model import LEAKAGE
from mlops_ci.engines.allowed import allowed_environment
from mlops_ci.errors import DOCS, ConfigError
from mlops_ci.verdict.history import IMAGE, RESOURCES
from mlops_ci.verdict.likeness import range_of, same_metric
from mlops_ci.verdict.names import known_metric, unknown_metric

FROM_FILES = "or name the file that holds it:\n    metrics: out/metrics.json"


def foresee(name: str, model: Model) -> None:
    """Raises ConfigError for a key of ours in `secrets:`, for a gate that nothing can answer or
    that allows everything, and for a waiver of no gate. What a `metrics:` file will hold nobody
    knows yet.
    """
    allowed_environment({}, model.secrets)
    for waiver in model.waivers:
        _refuse_idle(name, model, waiver)
    if IMAGE in model.gates and model.image is None:
        raise ConfigError(
            f"there is a gate on {IMAGE}, and no `image:` is built",
            where=f"mlops-ci.yaml, models.{name}.gates.{IMAGE}",
            fix=f"image: ghcr.io/OWNER/{name.lower()}",
            link=f"{DOCS}/config.md#size-and-speed",
        )
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
    for gate in expand_gates(model.gates):
        if gate.metric not in own:
            _refuse_out_of_range(name, gate)


def _refuse_out_of_range(name: str, gate: Gate) -> None:
    """`max-drop: 2`, meant as two percent, would let everything pass."""
    ends = range_of(gate.metric)
    if ends is None:
        return
    low, high = ends
    most = {"max-drop": high - low, "max-drop-relative": 1.0}.get(gate.kind, high)
    if gate.limit <= most and (gate.kind in ("max-drop", "max-drop-relative") or gate.limit >= low):
        return
    part = gate.limit / 100
    fix = f"gates: {{{gate.metric}: {{{gate.kind}: {part:g}}}}}" if 0 < part <= most else ""
    raise ConfigError(
        f"{gate.metric}: {gate.kind} {gate.limit:g} can decide nothing: "
        f"{gate.metric} lies between {low:g} and {high:g}",
        where=f"mlops-ci.yaml, models.{name}.gates.{gate.metric}",
        fix=fix and f"if percent are meant:\n    {fix}",
        link=f"{DOCS}/config.md#gates",
    )


def _refuse_idle(name: str, model: Model, waiver: Waiver) -> None:
    """A misspelt waiver would wait for a gate that never comes."""
    gates = expand_gates(model.gates)
    if any(_meant(waiver, gate) for gate in gates) or waiver.metric in _promises(model):
        return
    known = list(dict.fromkeys([*(gate.metric for gate in gates), *_promises(model)]))
    near = get_close_matches(waiver.metric, known, n=1)
    what = f"{waiver.metric} of {waiver.slice}" if waiver.slice else waiver.metric
    raise ConfigError(
        f"waivers: no gate of {name} is on {what}",
        where=f"mlops-ci.yaml, models.{name}.waivers",
        fix=(f"did you mean `{near[0]}`?\n" if near and near[0] != waiver.metric else "")
        + f"gates: {', '.join(known) or 'none'}; a waiver names metric, `slice` and `kind` as the "
        "gate does, or leaves `kind` out",
        link=f"{DOCS}/config.md#waivers",
    )


def _meant(waiver: Waiver, gate: Gate) -> bool:
    """Whether the gate, or one that `column=*` stands for, is what the waiver covers."""
    if not same_metric(waiver.metric, gate.metric) or waiver.kind not in (None, gate.kind):
        return False
    ours, theirs = waiver.slice, gate.slice
    if ours == theirs or ours is None or theirs is None:
        return ours == theirs
    stars = ours.endswith("=*") or theirs.endswith("=*")
    return stars and ours.partition("=")[0] == theirs.partition("=")[0]


def _promises(model: Model) -> tuple[str, ...]:
    """What else a waiver may name: all of a contract or of robustness, or a part of it."""
    columns = dict.fromkeys(term.column for term in expand_contract(model.contract) if term.column)
    kinds = dict.fromkeys(one.kind for one in expand_robustness(model.robustness))
    contract = ["contract"] if model.contract else []
    robustness = ["robustness"] if kinds else []
    return (
        *contract,
        *(f"contract:{column}" for column in columns),
        *robustness,
        *(f"robustness:{kind}" for kind in kinds),
    )

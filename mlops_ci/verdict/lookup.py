"""The metric that a gate speaks of, among those that were measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlops_ci.config.model import Gate
from mlops_ci.errors import DOCS, ConfigError
from mlops_ci.records.results import Evidence, MetricResult
from mlops_ci.verdict.names import (
    canonical_gate,
    is_negated,
    known_metric,
    last_part,
    unknown_metric,
)
from mlops_ci.verdict.structs import replaced


class Results:
    """Metric results by name and slice; of several, the strongest evidence that has a value, and of
    equal ones the first."""

    def __init__(self, metrics: Iterable[MetricResult]) -> None:
        self._found: dict[tuple[str, str | None], MetricResult] = {}
        order: dict[Evidence, int] = {"paired": 0, "unpaired": 1, "history": 2, "point": 3}
        for result in sorted(metrics, key=lambda one: (order[one.evidence], one.head is None)):
            self._found.setdefault((result.metric, result.slice), result)
        self.names = tuple(dict.fromkeys(name for name, _ in self._found))
        self.slices = tuple(dict.fromkeys(s for _, s in self._found if s is not None))

    def find(self, metric: str, slice_name: str | None) -> MetricResult | None:
        return self._found.get((metric, slice_name))

    def resolve(self, gate: Gate) -> Gate:
        """The gate under the name that the results have. Raises ConfigError for an unknown name."""
        if gate.metric in self.names:
            return gate
        if known_metric(gate.metric) is not None:
            named = canonical_gate(gate)
            if named.metric in self.names:
                return named
        ends = [name for name in self.names if same_metric(name, gate.metric)]
        if len(ends) == 1:
            return replaced(gate, metric=ends[0])
        if len(ends) > 1:
            raise ConfigError(
                f"{gate.metric!r} may be any of {', '.join(ends)}",
                fix=f"name it in full, for example:\n    gates:\n      {ends[0]}: "
                f"{{{gate.kind}: {gate.limit:g}}}",
            )
        if known_metric(gate.metric) is None:
            raise unknown_metric(gate.metric, self.names)
        return canonical_gate(gate)


def directed(metrics: Sequence[MetricResult], gates: Iterable[Gate]) -> tuple[MetricResult, ...]:
    """With the directions that gates tell of numbers whose names do not; of two that differ the
    first counts. Raises ConfigError where a gate turns round what is known."""
    results, told = Results(metrics), dict[str, bool]()
    for gate in gates:
        if gate.better is not None:
            told.setdefault(results.resolve(gate).metric, gate.better == "higher")
    for one in metrics:
        if one.higher_is_better is not None and told.get(one.metric) == (not one.higher_is_better):
            better = "higher" if one.higher_is_better else "lower"
            raise ConfigError(
                f"of {one.metric} {better} is better, whatever its gate says",
                fix=f"leave out the `better` of {one.metric}'s gate",
                link=f"{DOCS}/config.md#gates",
            )
    return tuple(
        replaced(one, higher_is_better=told.get(one.metric))
        if one.higher_is_better is None
        else one
        for one in metrics
    )


def same_metric(name: str, asked: str) -> bool:
    """Whether `asked` may mean `name`, whatever stands before that: `test.auc` is an AUC."""
    return name == asked or _means(last_part(name), asked)


def _means(name: str, asked: str) -> bool:
    """Whether two names are of one metric, read the same way round."""
    known = known_metric(asked)
    same = known is not None and known_metric(name) == known
    return name == asked or (same and is_negated(name) == is_negated(asked))

"""Which metrics these rows can tell at all, and of which there are enough to trust an interval."""

from __future__ import annotations

from mlops_ci.verdict.aggregates.exact import sum_by, sum_of
from mlops_ci.verdict.names import Metric
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.remarks import NO_QUERIES, counted

# The rarer class needs as many rows as a mean does.
RARE = 30
# Classes that an average is of where rows have weights or belong together.
MOST_AVERAGED = 1_000
# Of all rows in one group: the mean is then nearly that group's own, so that its distance from the
# mean tells nothing. Up to a third the intervals held 94 % in a simulation, from a half on 91 %,
# with nine tenths 66 % (Carter, Schnepel & Steigerwald 2017, "Asymptotic behavior of a t-test
# robust to cluster heterogeneity", Review of Economics and Statistics 99, 698–709,
# doi:10.1162/REST_a_00639).
MOST_OF_ONE = 1 / 3


def impossible(part: Part, metric: Metric) -> str | None:
    """Why the metric has no value on these rows, or None."""
    view = part.view
    if view.task not in metric.tasks:
        return f"not defined for a {view.task} task"
    if view.n == 0:
        return "no row is left"
    needs = metric.needs
    if needs == "group":
        if not part.has_queries:
            return NO_QUERIES
        needs = "score" if view.task == "binary" else "prediction"
    if needs in part.faults:
        return part.faults[needs]
    if metric.needs == "value" and f"value {metric.name}" in part.faults:
        return part.faults[f"value {metric.name}"]
    if metric.name in ("log_loss", "brier", "ece") and "probability" in part.faults:
        return part.faults["probability"]
    return _undefined(part, metric) or part.beyond(metric)


def _undefined(part: Part, metric: Metric) -> str | None:
    view = part.view
    if metric.label is not None and metric.label not in view.classes:
        return f"there is no class {metric.label!r}"
    if metric.label is not None and not part.rarest_of(metric):
        return f"no row is of the class {metric.label!r}"
    if _asks_classes(part, metric) and (part.class_counts > 0).sum() < 2:
        return "only one class occurs among the labels"
    if ranks(metric) and part.constant and all(part.constant):
        return "all scores are equal: they rank nothing"
    if metric.needs == "prediction" and metric.by_class and _are_too_many(part, metric):
        what = f"more than {MOST_AVERAGED:,} classes of rows with weights or groups"
        return f"{what}: a gate can ask for one, as `recall@CLASS`"
    if metric.name == "mape" and part.zero_label:
        return "a label is 0, and a percentage of it means nothing"
    if metric.name == "r2" and part.one_label:
        return "all labels are equal"
    return None


def _are_too_many(part: Part, metric: Metric) -> bool:
    """Of an average over so many classes rows' luck is a bias, which is known of rows alone."""
    of_rows = part.view.weight is None and part.clusters is None
    return metric.label is None and not of_rows and len(part.view.classes) > MOST_AVERAGED


def ranks(metric: Metric) -> bool:
    """Whether it looks at nothing but the order of the scores."""
    return metric.name.partition("@")[0] in ("roc_auc", "average_precision")


def _asks_classes(part: Part, metric: Metric) -> bool:
    """A slice may be of one class where a metric does not weigh classes; a test set may not."""
    whole = part.slice is None and metric.needs in ("prediction", "score")
    return metric.by_class or (whole and part.view.task != "regression")


def too_few(part: Part, metric: Metric) -> str | None:
    """Why there are too few rows to trust an interval, or None."""
    if part.view.n < part.policy.min_rows:
        return f"{counted(part.view.n, 'row')}, fewer than min-rows ({part.policy.min_rows})"
    if part.effective < part.policy.min_rows:
        return (
            f"{part.view.n} rows, worth {part.effective:.0f} of equal weight, fewer than min-rows "
            f"({part.policy.min_rows})"
        )
    if part.clusters is not None and part.clusters.groups < part.policy.min_rows:
        groups = counted(part.clusters.groups, "group")
        return f"{groups}, fewer than min-rows ({part.policy.min_rows})"
    share = _share_of_one(part, metric)
    if part.clusters is not None and share > MOST_OF_ONE:
        what = f"{part.clusters.largest:,} of {part.view.n:,} rows"
        if part.view.weight is not None:
            what = f"{share:.0%} of all weight"
        return (
            f"one group has {what}, over a third: "
            "where it stands for rows of nobody, give each of them a group of its own"
        )
    if _needs_every_class(part, metric) and part.rarest_of(metric) < RARE:
        what = "the rarer class" if metric.label is None else metric.label
        return f"{part.rarest_of(metric)} rows of {what}{_by_weight(part)}, fewer than {RARE}"
    return None


def _share_of_one(part: Part, metric: Metric) -> float:
    """Of the rows, or of their weight, that the largest group has. Of queries each counts once,
    however many rows it has."""
    clusters, weight = part.clusters, part.view.weight
    if clusters is None or metric.needs == "group" or not part.view.n:
        return 0.0
    if clusters.heaviest is not None:
        return clusters.heaviest
    if weight is None or not clusters.rows:
        return clusters.largest / part.view.n
    return float(sum_by(clusters.codes, weight, clusters.groups).max()) / sum_of(weight)


def _by_weight(part: Part) -> str:
    return "" if part.view.weight is None else " (of equal weight)"


def _needs_every_class(part: Part, metric: Metric) -> bool:
    return metric.by_class or (part.slice is not None and part.view.task == "binary")

"""How alike two trainings of one commit are, metric by metric, and why they are not more so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from mlops_ci.baseline.history import runs_by_key
from mlops_ci.baseline.store import Store
from mlops_ci.errors import MlopsCiError
from mlops_ci.records import Evaluation, Training
from mlops_ci.verdict import Noise, apart_by_luck, noise_of_history, noise_of_seeds

Key = tuple[str, str | None]
MOST = 20  # parameters
NOTHING = (
    "nothing that was recorded differs: training does not fix its randomness (MLOPS_CI_SEED), or "
    "it depends on threads, on a GPU, or on the time"
)


class Again(Struct, frozen=True, kw_only=True):
    """One number then and now; `same` means bit-equal. `within`: two trainings that differ in luck
    alone lie apart so far (`noise`, at the configuration's level, from `trainings`); None where it
    is not known."""

    metric: str
    slice: str | None
    recorded: float | None
    again: float | None
    same: bool
    within: bool | None = None
    noise: float | None = None
    trainings: int | None = None


class Reproduction(Struct, frozen=True, kw_only=True):
    """`same`: predictions and every number are bit-equal; None when nothing was recorded of the
    commit, so that the numbers of this run stand alone. `within`: what is not bit-equal is within
    seed noise; None where that is not known. `reasons` name what else differs."""

    schema: str = "mlops-ci/reproduce/1"
    model: str
    commit: str
    same: bool | None
    predictions_same: bool | None
    metrics: tuple[Again, ...]
    reasons: tuple[str, ...] = ()
    within: bool | None = None


def seed_noise(evaluation: Evaluation | None) -> dict[Key, Noise]:
    """By the seeds that were evaluated; empty where there was one, or all came to the same."""
    if evaluation is None or evaluation.seeds is None:
        return {}
    found = {(one.metric, one.slice): noise_of_seeds(one.values) for one in evaluation.seeds.values}
    return {key: noise for key, noise in found.items() if noise is not None}


def noise_of_main(name: str, now: Evaluation, store: Store | None) -> dict[Key, Noise]:
    """By main's own retrainings on these rows; a store that is away says nothing."""
    if store is None or now.rows_digest is None:
        return {}
    try:
        runs = runs_by_key(store.list(name), now.rows_digest)
    except MlopsCiError:
        return {}
    found = {metric: noise_of_history(groups) for metric, groups in runs.items()}
    return {(metric, None): noise for metric, noise in found.items() if noise is not None}


def judged(found: Reproduction, noise: Mapping[Key, Noise], level: float) -> Reproduction:
    """Whether what is not bit-equal is within seed noise, and why it is not bit-equal.

    One number outside is an alarm, so the level is shared among those that are asked (Bonferroni).
    """
    if found.same is None:
        return found
    asked = sum(not one.same and _key(one) in noise for one in found.metrics)
    shared = 1 - (1 - level) / max(1, asked)
    metrics = tuple(_judged(one, noise.get(_key(one)), shared) for one in found.metrics)
    reasons = found.reasons or (() if found.same else (NOTHING,))
    return msgspec.structs.replace(found, metrics=metrics, within=_all(metrics), reasons=reasons)


def _key(one: Again) -> Key:
    return one.metric, one.slice


def _all(metrics: tuple[Again, ...]) -> bool | None:
    """False outweighs what is not known. Where all numbers are bit-equal there is no noise to
    judge by: what else differs (the predictions) stays different."""
    found = {one.within for one in metrics if not one.same}
    if False in found:
        return False
    return None if None in found or not found else True


def _judged(one: Again, noise: Noise | None, level: float) -> Again:
    """A number that only one of the two has is different, whatever the noise."""
    if one.same:
        return one
    if one.recorded is None or one.again is None:
        return msgspec.structs.replace(one, within=False)
    if noise is None:
        return one
    reach = apart_by_luck(noise, level)
    within = abs(one.again - one.recorded) <= reach
    return msgspec.structs.replace(one, within=within, noise=reach, trainings=noise.trainings)


def reasons_between(then: Training | None, now: Training | None) -> list[str]:
    """What the two trainings were made of, where it is not the same."""
    if then is None or now is None:
        return []
    return [*_data(then, now), *_environment(then, now), *_parameters(then, now)]


def _data(then: Training, now: Training) -> Iterator[str]:
    for path, digest in then.data.items():
        if now.data.get(path) != digest:
            yield f"data {path} differs: {_short(digest)} then, {_short(now.data.get(path))} now"


def _environment(then: Training, now: Training) -> Iterator[str]:
    if then.environment is None or now.environment is None:
        return
    for field in msgspec.structs.fields(then.environment):
        old, new = (getattr(one.environment, field.name) for one in (then, now))
        if old != new:
            yield f"{field.name}: {old} then, {new} now"


def _parameters(then: Training, now: Training) -> Iterator[str]:
    names = sorted({*then.parameters, *now.parameters})
    differing = [name for name in names if _value(then, name) != _value(now, name)]
    for name in differing[:MOST]:
        yield f"parameter {name}: {_value(then, name)} then, {_value(now, name)} now"
    if len(differing) > MOST:
        yield f"{len(differing) - MOST} more parameters differ"


def _value(training: Training, name: str) -> str:
    return repr(training.parameters[name]) if name in training.parameters else "none"


def _short(digest: str | None) -> str:
    return "none" if digest is None else digest[: len("sha256:") + 12]

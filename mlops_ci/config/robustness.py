"""`robustness:` of a model: what its evaluation rows are changed by, and what it may lose then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, TypeVar

from msgspec import Meta, Struct

from mlops_ci.config.setting import Setting

PerturbationKind = Literal["noise", "missing", "scale", "swap", "prior"]

NonNegative = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(gt=0, le=1)]


class Noise(Setting, frozen=True):
    """Gaussian noise on numbers. `sd` is in the column's own standard deviations. Of no `columns`:
    every column of numbers."""

    sd: Annotated[float, Meta(gt=0)]
    columns: list[str] = []
    max_drop: NonNegative | None = None
    required: bool = True


class Missing(Setting, frozen=True):
    """Values that are not there: `share` of each column's. Of no `columns`: every column."""

    share: Share
    columns: list[str] = []
    max_drop: NonNegative | None = None
    required: bool = True


class Scale(Setting, frozen=True):
    """Another unit: every value of a column of numbers times `factor`."""

    column: str
    factor: float
    max_drop: NonNegative | None = None
    required: bool = True


class Swap(Setting, frozen=True):
    """Another category of the same column, in `share` of the rows."""

    column: str
    share: Share = 1.0
    max_drop: NonNegative | None = None
    required: bool = True


class Prior(Setting, frozen=True):
    """Other shares of the classes: `positive` of the rows are positive."""

    positive: Annotated[float, Meta(gt=0, lt=1)]
    max_drop: NonNegative | None = None
    required: bool = True


class Robustness(Setting, frozen=True):
    """`metric`: by which the drop is measured; None: the primary one."""

    metric: str | None = None
    noise: Noise | list[Noise] = []
    missing: Missing | list[Missing] = []
    scale: Scale | list[Scale] = []
    swap: Swap | list[Swap] = []
    prior: Prior | list[Prior] = []


class Perturbation(Struct, frozen=True, kw_only=True):
    """One change of the rows. `amount`: the standard deviation, share or factor. `max_drop` None:
    it is measured and judges nothing."""

    kind: PerturbationKind
    amount: float
    columns: tuple[str, ...] = ()
    metric: str | None = None
    max_drop: float | None = None
    required: bool = True


Made = TypeVar("Made")


def expand_robustness(robustness: Robustness | None) -> tuple[Perturbation, ...]:
    """The perturbations one by one, in the order noise, missing, scale, swap, prior."""
    if robustness is None:
        return ()
    return tuple(dict.fromkeys(_perturbations(robustness)))


def _perturbations(asked: Robustness) -> Iterator[Perturbation]:
    def made(
        kind: PerturbationKind,
        amount: float,
        columns: Sequence[str],
        one: Noise | Missing | Scale | Swap | Prior,
    ) -> Perturbation:
        return Perturbation(
            kind=kind,
            amount=float(amount),
            columns=tuple(columns),
            metric=asked.metric,
            max_drop=one.max_drop,
            required=one.required,
        )

    yield from (made("noise", one.sd, one.columns, one) for one in _each(asked.noise))
    yield from (made("missing", one.share, one.columns, one) for one in _each(asked.missing))
    yield from (made("scale", one.factor, [one.column], one) for one in _each(asked.scale))
    yield from (made("swap", one.share, [one.column], one) for one in _each(asked.swap))
    yield from (made("prior", one.positive, [], one) for one in _each(asked.prior))


def _each(entry: Made | list[Made]) -> list[Made]:
    return entry if isinstance(entry, list) else [entry]

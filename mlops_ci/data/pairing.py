"""Base's rows and head's rows: the same ones, side by side, or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.arranged import Arrangement, say_arranged
from mlops_ci.data.classes import OTHER, order_classes
from mlops_ci.data.keys import ALL, Rows, match
from mlops_ci.data.overlap import (
    BY_GROUPS,
    HEAD_GROUPS,
    is_enough,
    notes_paired,
    other_labels,
    rest_of,
    say_apart,
    say_no_key,
    say_unlike,
)
from mlops_ci.data.predictions import Predictions, named_as
from mlops_ci.data.request import to_say
from mlops_ci.data.room import code_type, taken
from mlops_ci.data.rows import Slices
from mlops_ci.data.weighing import choose_weight, notes_apart, weight_notes
from mlops_ci.errors import ComparisonError
from mlops_ci.records import RowCounts
from mlops_ci.verdict.rows import Outputs, PairedRows, SingleRows


@dataclass(frozen=True)
class Pairing:
    """`unscored`: rows of base's file that head did not score; `left_out`: base's answers on them.
    `added`: rows that only head has. `notes` are for the report."""

    rows: PairedRows | tuple[SingleRows, SingleRows]
    counts: RowCounts
    unscored: int
    notes: tuple[str, ...]
    added: int = 0
    left_out: SingleRows | None = None


def pair(base: Predictions, head: Predictions) -> Pairing:
    """Raises ComparisonError when the two files cannot be about the same thing."""
    named = named_as(head, base)
    if named is not head:
        found = pair(base, named)
        note = (
            f"Classes {' and '.join(head.classes)} of head are base's {' and '.join(base.classes)}."
        )
        return replace(found, notes=(note, *found.notes))
    classes = common_classes(base, head)
    _check_alike(base, head, classes)
    if base.keys is not None and head.keys is not None:
        return _by_key(base, head, classes, match(base.keys, head.keys))
    missing = say_no_key(base, head)
    if base.rows == head.rows and _same_labels(base, head, classes):
        rows = _paired(base, head, classes, (ALL, ALL))
        if _is_arranged(rows):
            return _apart(base, head, classes, say_arranged(missing))
        counts = RowCounts(base=base.rows, head=head.rows, paired=base.rows, paired_by="position")
        note = f"{missing}: rows are paired by position; their labels agree row by row."
        notes = (note, *_notes(base, head), *weight_notes(base, head, (ALL, ALL)))
        return Pairing(rows, counts, 0, notes)
    note = say_unlike(missing, (base.rows, head.rows))
    return _apart(base, head, classes, note)


def _is_arranged(rows: PairedRows) -> bool:
    if rows.task == "regression":
        return False
    arrangement = Arrangement()
    arrangement.see(rows.label, rows.base, rows.head)
    return arrangement.found


def common_classes(base: Predictions, head: Predictions) -> tuple[str, ...]:
    """A stand-in for a class that does not occur gives way to the name that the other file has."""
    names = {*base.classes, *head.classes}
    return order_classes(names - {OTHER} if len(names) > 2 else names)


def _notes(base: Predictions, head: Predictions) -> tuple[str, ...]:
    """What is not wrong, but not the same on both sides."""
    notes = [*_class_notes(base, head), *_value_notes(base, head)]
    if base.group is not None or head.group is not None:
        notes.append(HEAD_GROUPS if base.group is None else BY_GROUPS)
    for name, one, other in (("base", base, head), ("head", head, base)):
        at = one.resolution.threshold
        if at is not None and other.resolution.threshold is None and other.prediction is not None:
            notes.append(
                f"Classes of {name} are its scores cut at {at:g}; the other side brings its own."
            )
    return tuple(notes)


def _value_notes(base: Predictions, head: Predictions) -> tuple[str, ...]:
    """A gate on such a column finds nothing to compare, and blocks."""
    missing = [name for name in head.values if name not in base.values]
    if not missing:
        return ()
    return (f"Base has no column {', '.join(missing)}: it is not compared.",)


def _class_notes(base: Predictions, head: Predictions) -> tuple[str, ...]:
    """Multiclass models need not know the same classes, but a reader should know."""
    notes = []
    for name, more, less in (("base", base, head), ("head", head, base)):
        only = [one for one in more.classes if one not in less.classes and one != OTHER]
        if only and base.task == "multiclass":
            shown = ", ".join(only[:5]) + (", …" if len(only) > 5 else "")
            notes.append(f"Only {name} has the class{'es' if len(only) > 1 else ''} {shown}.")
    return tuple(notes)


def _check_alike(base: Predictions, head: Predictions, classes: tuple[str, ...]) -> None:
    if base.task != head.task:
        raise ComparisonError(
            f"base is a {base.task} task and head a {head.task} task",
            where=f"{base.path} and {head.path}",
            fix=to_say(
                "task", base.task, lead="compare two files of the same task, or say which it is: "
            ),
        )
    if base.task == "binary" and len(classes) > 2:
        raise ComparisonError(
            f"base has the classes {', '.join(base.classes)}, head has {', '.join(head.classes)}",
            where=f"{base.path} and {head.path}",
            fix=to_say("task", "multiclass", lead="write the same names for the classes, or say "),
        )
    if base.positive != head.positive:
        raise ComparisonError(
            f"the positive class is {base.positive!r} in base and {head.positive!r} in head",
            where=f"{base.path} and {head.path}",
            fix=to_say("positive", str(base.positive)),
        )


def _by_key(
    base: Predictions,
    head: Predictions,
    classes: tuple[str, ...],
    common: tuple[Rows, Rows],
) -> Pairing:
    left, right = common
    paired = base.rows if isinstance(left, slice) else len(left)
    unscored, added = base.rows - paired, head.rows - paired
    rest = rest_of(base, left)
    left_out = single_rows(base, classes, rest) if rest is not None else None
    if paired:
        _check_labels(base, head, classes, (left, right))
    if not is_enough(base.rows, paired):
        apart = _apart(base, head, classes, say_apart(base, head, common))
        return replace(apart, unscored=unscored, added=added, left_out=left_out)
    notes = (
        *_notes(base, head),
        *weight_notes(base, head, (left, right)),
        *notes_paired(base, head, common),
    )
    counts = RowCounts(base=base.rows, head=head.rows, paired=paired, paired_by="id")
    rows = _paired(base, head, classes, (left, right))
    return Pairing(rows, counts, unscored, notes, added, left_out)


def _check_labels(
    base: Predictions,
    head: Predictions,
    classes: tuple[str, ...],
    rows: tuple[Rows, Rows],
) -> None:
    one, other = label_of(base, classes)[rows[0]], label_of(head, classes)[rows[1]]
    differ = one != other
    if differ.any() and base.keys is not None:
        raise other_labels(base, head, base.keys[rows[0]][differ], len(differ))


def _same_labels(base: Predictions, head: Predictions, classes: tuple[str, ...]) -> bool:
    return bool(np.array_equal(label_of(base, classes), label_of(head, classes)))


def label_of(side: Predictions, classes: Sequence[str]) -> NDArray[Any]:
    return side.label if side.task == "regression" else _recoded(side, classes, side.label)


def _recoded(side: Predictions, classes: Sequence[str], codes: NDArray[Any]) -> NDArray[Any]:
    if tuple(classes) == side.classes:
        return codes
    new = _recode(side, classes).astype(code_type(len(classes), side.rows))
    return np.asarray(new[codes])


def _recode(side: Predictions, classes: Sequence[str]) -> NDArray[np.int64]:
    """The code of each of the side's classes; a stand-in is the one that the side has not."""
    codes = {name: code for code, name in enumerate(classes)}
    lone = next((codes[name] for name in classes if name not in side.classes), 0)
    return np.array([codes.get(name, lone) for name in side.classes], dtype=np.int64)


def _outputs(
    side: Predictions, classes: Sequence[str], rows: Rows, values: Iterable[str] = ()
) -> Outputs:
    prediction, score = side.prediction, side.score
    if prediction is not None:
        prediction = taken(prediction, rows)
        if side.task != "regression":
            prediction = _recoded(side, classes, prediction)
    if score is not None:
        score = taken(score, rows)
        if score.ndim == 2 and tuple(classes) != side.classes:
            wide = np.zeros((len(score), len(classes)))
            wide[:, _recode(side, classes)] = score
            score = wide
    return Outputs(prediction, score, {name: taken(side.values[name], rows) for name in values})


def _paired(
    base: Predictions,
    head: Predictions,
    classes: tuple[str, ...],
    rows: tuple[Rows, Rows],
) -> PairedRows:
    left, right = rows
    slices = _masks(base.slices, left) | {
        name: mask
        for name, mask in _masks(head.slices, right).items()
        if name.split("=", 1)[0] not in base.slices
    }
    values = {name: better for name, better in head.directions.items() if name in base.values}
    found = PairedRows(
        task=base.task,
        classes=classes,
        label=taken(label_of(base, classes), left),
        base=_outputs(base, classes, left, values),
        head=_outputs(head, classes, right, values),
        group=_counted(base.group[left]) if base.group is not None else None,
        queries=_queries(base, head, right),
        weight=choose_weight(base, rows),
        values=values,
        slices=slices,
        positive=_code(classes, base.positive),
    )
    same = base.digest == head.digest and found.answered_alike and found.tells_models_apart
    return replace(found, identical=True) if same else found


def _queries(base: Predictions, head: Predictions, right: Rows) -> NDArray[np.int64] | None:
    """Head's where only head has groups. Intervals by groups are the yardstick's, which is base's:
    groups of head's own choosing could shorten them."""
    if base.group is not None or head.group is None:
        return None
    return _counted(head.group[right])


def _counted(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """From 0 on, without a gap."""
    return np.unique(group, return_inverse=True)[1].reshape(-1)


def single_rows(
    side: Predictions, classes: tuple[str, ...] | None = None, rows: Rows = ALL
) -> SingleRows:
    classes = classes or side.classes
    group = side.group[rows] if side.group is not None else None
    return SingleRows(
        task=side.task,
        classes=classes,
        label=taken(label_of(side, classes), rows),
        outputs=_outputs(side, classes, rows, side.values),
        group=group if rows is ALL or group is None else _counted(group),
        weight=side.weight[rows] if side.weight is not None else None,
        values={name: side.directions.get(name) for name in side.values},
        slices=_masks(side.slices, rows),
        positive=_code(classes, side.positive),
    )


def _code(classes: tuple[str, ...], positive: str | None) -> int:
    return classes.index(positive) if positive in classes else 1


def _masks(slices: dict[str, Slices], rows: Rows) -> dict[str, NDArray[np.bool_]]:
    """Every value of the whole file, so that a value whose rows are gone is seen as empty."""
    return {
        f"{column}={name}": mask
        for column, values in slices.items()
        for name, mask in values.masks(rows).items()
    }


def _apart(base: Predictions, head: Predictions, classes: tuple[str, ...], note: str) -> Pairing:
    counts = RowCounts(base=base.rows, head=head.rows, paired=0, paired_by="none")
    sides = single_rows(base, classes), single_rows(head, classes)
    return Pairing(sides, counts, 0, (note, *notes_apart(base, head)))

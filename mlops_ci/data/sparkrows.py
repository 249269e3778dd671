"""What an executor does with a partition: joined rows → bytes of their statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.aggregate import from_bytes, to_bytes
from mlops_ci.data.keys import sum_rows
from mlops_ci.data.predictions import THRESHOLD
from mlops_ci.errors import ComparisonError
from mlops_ci.verdict.aggregates.sufficient import Cut, Question, Sufficient
from mlops_ci.verdict.rows import Mask, Outputs, View

if TYPE_CHECKING:
    from pyarrow import RecordBatch

Work = Callable[[Iterator[Any]], Iterator[Any]]
SHOWN = 3


@dataclass(frozen=True)
class Plan:
    """What executors are told. `slices`: of each column, the names of its values, sorted. `said`:
    which sides bring classes of their own; the others' scores are cut. `scores`: columns of them.
    `sides`: both, or the one whose rows are counted by themselves. `metrics`: that are asked for.
    """

    question: Question
    slices: tuple[tuple[str, ...], ...]
    columns: tuple[str, ...]
    numbered: bool
    said: tuple[bool, bool]
    scores: int
    sides: tuple[int, ...] = (0, 1)
    metrics: tuple[str, ...] = ()

    @property
    def errors(self) -> bool:
        return self.question.task == "regression"

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        return tuple(
            tuple(f"{column}={value}" for value in values)
            for column, values in zip(self.columns, self.slices, strict=True)
        )


class _Sent(msgspec.Struct, frozen=True):
    statistics: bytes
    unscored: int
    added: int
    relabelled: int
    missing: int
    uncut: int
    shown: list[str]


@dataclass
class Tally:
    """`found` of the rows that both have. `relabelled` have another label in head, `missing` have
    a cell that is empty, or no finite number; `uncut` scores lie outside 0…1 and have no class."""

    found: Sufficient
    unscored: int = 0
    added: int = 0
    relabelled: int = 0
    missing: int = 0
    uncut: int = 0
    shown: list[str] = field(default_factory=list)

    @classmethod
    def empty(cls, plan: Plan) -> Tally:
        return cls(Sufficient.empty(plan.question, [name for one in plan.names for name in one]))

    def merge(self, other: Tally) -> None:
        self.found.merge(other.found)
        self.unscored += other.unscored
        self.added += other.added
        self.relabelled += other.relabelled
        self.missing += other.missing
        self.uncut += other.uncut
        self.shown = sorted({*self.shown, *other.shown})[:SHOWN]

    def to_bytes(self) -> bytes:
        sent = _Sent(
            to_bytes(self.found),
            self.unscored,
            self.added,
            self.relabelled,
            self.missing,
            self.uncut,
            self.shown,
        )
        return msgspec.msgpack.encode(sent)

    @classmethod
    def from_bytes(cls, data: bytes) -> Tally:
        sent = msgspec.msgpack.decode(data, type=_Sent)
        return cls(
            from_bytes(sent.statistics),
            sent.unscored,
            sent.added,
            sent.relabelled,
            sent.missing,
            sent.uncut,
            list(sent.shown),
        )

    def refuse(self) -> None:
        """Raises ComparisonError for rows that cannot be judged."""
        shown = ", ".join(map(repr, self.shown))
        if self.missing:
            raise ComparisonError(
                f"a label, prediction, score or group is missing or not finite in "
                f"{self.missing:,} rows: {shown}",
                where="Spark",
                fix="a row without an answer cannot be judged: mend or remove these rows in both",
            )
        if self.relabelled:
            raise ComparisonError(
                f"{self.relabelled:,} rows have another label in head than in base: {shown}",
                where="Spark",
                fix="the yardstick must not move with the model: evaluate both on the same labels",
            )
        if self.uncut:
            raise ComparisonError(
                f"{self.uncut:,} scores lie outside 0…1, so that no class follows from them",
                where="Spark",
                fix="add a column `prediction` to both",
            )


def count_rows(plan: Plan) -> Work:
    def count(batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        tally = None
        for batch in batches:
            tally = tally or Tally.empty(plan)
            _add(tally, plan, batch)
        if tally is not None:
            yield batch_of(tally.to_bytes())

    return count


def merge_rows() -> Work:
    def merge(batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        sent = (cell.as_py() for batch in batches for cell in batch.column("tally"))
        first = next(sent, None)
        if first is None:
            return
        tally = Tally.from_bytes(first)
        for data in sent:
            tally.merge(Tally.from_bytes(data))
        yield batch_of(tally.to_bytes())

    return merge


def batch_of(tally: bytes) -> RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pydict({"tally": [tally]})


def _add(tally: Tally, plan: Plan, batch: RecordBatch) -> None:
    there = [_filled(batch, f"there{side}") for side in plan.sides]
    tally.unscored += int(np.count_nonzero(there[0] & ~there[-1]))
    tally.added += int(np.count_nonzero(there[-1] & ~there[0]))
    batch = _taken(batch, there[0] & there[-1])
    whole = np.ones(batch.num_rows, dtype=np.bool_)
    for name in batch.schema.names:
        whole &= _filled(batch, name)
        if name.startswith(("score", "value")) or (
            plan.errors and name.startswith(("label", "said"))
        ):
            whole &= np.isfinite(_numbers(batch, name))
    tally.missing += _note(tally, batch, ~whole)
    batch = _taken(batch, whole)
    labels = [_said(plan, batch, f"label{side}") for side in plan.sides]
    tally.relabelled += _note(tally, batch, labels[0] != labels[-1])
    if not batch.num_rows or tally.relabelled or tally.missing:
        return
    read = _read(tally, plan, batch, labels[0])
    if read is not None:
        identity = sum_rows(_keys(plan, batch), labels[0], plan.question.classes)
        tally.found.add(*read, identity)


def joined_of(plan: Plan, batch: RecordBatch) -> RecordBatch:
    """The rows that both sides have."""
    there = [_filled(batch, f"there{side}") for side in plan.sides]
    return _taken(batch, there[0] & there[-1])


def rows_of(plan: Plan, batch: RecordBatch) -> tuple[View, list[Cut]] | None:
    """A batch of rows that have been counted, once more; None where none of them counts."""
    batch = joined_of(plan, batch)
    if not batch.num_rows:
        return None
    return _read(Tally.empty(plan), plan, batch, _said(plan, batch, f"label{plan.sides[0]}"))


def _read(
    tally: Tally, plan: Plan, batch: RecordBatch, label: NDArray[Any]
) -> tuple[View, list[Cut]] | None:
    sides = [_answers(tally, plan, batch, side) for side in plan.sides]
    if tally.uncut:
        return None
    cuts = [
        Cut(names, _codes(batch, f"slice{at}", values))
        for at, (names, values) in enumerate(zip(plan.names, plan.slices, strict=True))
    ]
    question = plan.question
    view = View(
        question.task, question.classes, label, tuple(sides), identical=False,
        positive=question.positive,
        values={value.name: value.better for value in question.values},
    )  # fmt: skip
    return view, cuts


def _note(tally: Tally, batch: RecordBatch, rows: Mask) -> int:
    if rows.any():
        first = np.flatnonzero(rows)[:SHOWN]
        keys = [str(batch.column("k")[int(row)].as_py()) for row in first]
        tally.shown = sorted({*tally.shown, *keys})[:SHOWN]
    return int(np.count_nonzero(rows))


def _answers(tally: Tally, plan: Plan, batch: RecordBatch, side: int) -> Outputs:
    asked = plan.question
    columns = [_numbers(batch, f"score{side}_{at}") for at in range(plan.scores)]
    score = None
    if columns:
        score = columns[0] if len(columns) == 1 else np.column_stack(columns)
    values = {
        value.name: _numbers(batch, f"value{side}_{at}") for at, value in enumerate(asked.values)
    }
    if plan.said[side] or plan.errors:
        return Outputs(_said(plan, batch, f"said{side}"), score, values)
    if score is None or score.ndim == 2:
        return Outputs(None if score is None else score.argmax(axis=1), score, values)
    tally.uncut += int(np.count_nonzero((score < 0) | (score > 1)))
    code = asked.positive
    return Outputs(np.where(score >= THRESHOLD, code, 1 - code), score, values)


def _said(plan: Plan, batch: RecordBatch, name: str) -> NDArray[Any]:
    """Classes, or the numbers of a regression."""
    return _numbers(batch, name) if plan.errors else _codes(batch, name, plan.question.classes)


def _keys(plan: Plan, batch: RecordBatch) -> NDArray[Any]:
    found = batch.column("k").to_numpy(zero_copy_only=False)
    return np.asarray(found.astype(np.int64 if plan.numbered else str))


def _numbers(batch: RecordBatch, name: str) -> NDArray[np.float64]:
    return np.asarray(batch.column(name).to_numpy(zero_copy_only=False), dtype=np.float64)


def _filled(batch: RecordBatch, name: str) -> Mask:
    found = batch.column(name).is_valid().to_numpy(zero_copy_only=False)
    return np.asarray(found, dtype=np.bool_)


def _taken(batch: RecordBatch, rows: Mask) -> RecordBatch:
    import pyarrow as pa

    return batch if rows.all() else batch.filter(pa.array(rows))


def _codes(batch: RecordBatch, name: str, names: tuple[str, ...]) -> NDArray[np.int64]:
    """The places of a column's texts among `names`, whatever their order; each occurs there."""
    encoded = batch.column(name).dictionary_encode()
    place = {text: code for code, text in enumerate(names)}
    codes = [place[one] for one in encoded.dictionary.to_pylist()]
    where = encoded.indices.to_numpy(zero_copy_only=False)
    return np.asarray(np.array(codes, dtype=np.int64)[where.astype(np.int64)])

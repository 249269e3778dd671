"""The one thread that asks the model, so that health and metrics answer while it computes.

What waited while the model was busy is asked together: one call on sixteen rows costs little more
than one call on one row.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlops_ci.serve.flavors import Model
from mlops_ci.serve.message import Refusal
from mlops_ci.serve.rows import Rows, join_rows

Deliver = Callable[[Any], None]


@dataclass(frozen=True)
class Job:
    """One request's rows; `deliver` gets the result, or the exception, in the event loop."""

    rows: Rows
    method: str
    params: dict[str, Any]
    deliver: Deliver
    size: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", len(self.rows))


class Worker:
    def __init__(
        self, model: Model, loop: asyncio.AbstractEventLoop, *, limits: tuple[int, int]
    ) -> None:
        """`limits`: how many jobs may wait, how many rows one call may get together."""
        self.model = model
        self._loop = loop
        self._max_waiting, self._max_rows = limits
        self._jobs: deque[Job] = deque()
        self._wake = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        return len(self._jobs)

    def submit(self, job: Job) -> None:
        """Raises Refusal 503 when too many wait already."""
        if job.method not in self.model.methods:
            known = ", ".join(self.model.methods)
            raise Refusal(400, f"the model has no output {job.method!r}; it has {known}")
        if len(self._jobs) >= self._max_waiting:
            raise Refusal(503, "too many requests are waiting", (("Retry-After", "1"),))
        with self._wake:
            self._jobs.append(job)
            self._wake.notify()

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._jobs and not self._stopped:
                    self._wake.wait()
                if self._stopped and not self._jobs:
                    return
                batch = self._take()
            results = self._answer(batch)
            self._loop.call_soon_threadsafe(_deliver, batch, results)

    def _take(self) -> list[Job]:
        """The oldest job, and those behind it that can be joined to it without a change."""
        batch = [self._jobs.popleft()]
        first = batch[0]
        if not self.model.joinable or first.params:
            return batch
        rows, kind = first.size, first.rows.kind
        while self._jobs:
            job = self._jobs[0]
            if job.method != first.method or job.params or job.rows.kind != kind:
                break
            if rows + job.size > self._max_rows:
                break
            rows += job.size
            batch.append(self._jobs.popleft())
        return batch

    def _answer(self, batch: Sequence[Job]) -> list[Any]:
        """One result or exception per job. A batch that fails is asked again one by one."""
        if len(batch) == 1:
            return [self._ask(batch[0].rows, batch[0])]
        whole = self._ask(join_rows([job.rows for job in batch]), batch[0])
        if isinstance(whole, Exception) or not _has_rows(whole, sum(job.size for job in batch)):
            return [self._ask(job.rows, job) for job in batch]
        results, at = [], 0
        for job in batch:
            results.append(_part(whole, at, at + job.size))
            at += job.size
        return results

    def _ask(self, rows: Rows, job: Job) -> Any:
        try:
            return self.model.methods[job.method](rows, job.params)
        except Exception as error:  # noqa: BLE001 - the model's code: any error is an answer
            return error


def _deliver(batch: Sequence[Job], results: Sequence[Any]) -> None:
    for job, result in zip(batch, results, strict=True):
        job.deliver(result)


def _has_rows(result: Any, count: int) -> bool:
    return hasattr(result, "__len__") and len(result) == count


def _part(result: Any, low: int, high: int) -> Any:
    return result.iloc[low:high] if hasattr(result, "iloc") else result[low:high]

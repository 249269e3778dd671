"""Rows of several requests are asked together, and every request gets its own answer."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np
import pytest

from mlops_ci.serve.flavors import Model
from mlops_ci.serve.message import Refusal
from mlops_ci.serve.rows import Rows
from mlops_ci.serve.signature import Schema
from mlops_ci.serve.worker import Job, Worker
from tests.waiting import PATIENCE


class Recorder:
    """A model that waits for its gate, and remembers what it was asked together."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.calls: list[int] = []

    def ask(self, rows: Rows, _: dict[str, Any]) -> Any:
        self.gate.wait(PATIENCE)
        self.calls.append(len(rows))
        values = rows.matrix()[:, 0]
        if (values < 0).any():
            raise ValueError("negative")
        return values * 10


def model(recorder: Recorder, *, joinable: bool) -> Model:
    return Model("sklearn", "3", Schema(), Schema(), {"predict": recorder.ask}, joinable)


def answers(
    parts: list[list[float]], *, joinable: bool = True, max_rows: int = 100
) -> tuple[list[Any], list[int]]:
    recorder = Recorder()

    async def main() -> list[Any]:
        loop = asyncio.get_running_loop()
        worker = Worker(model(recorder, joinable=joinable), loop, limits=(50, max_rows))
        futures = []
        for part in parts:
            future: asyncio.Future[Any] = loop.create_future()
            rows = Rows(array=np.array(part).reshape(-1, 1))
            worker.submit(Job(rows, "predict", {}, future.set_result))
            futures.append(future)
        recorder.gate.set()
        found = list(await asyncio.wait_for(asyncio.gather(*futures), PATIENCE))
        worker.stop()
        return found

    return asyncio.run(main()), recorder.calls


def test_joined_and_taken_apart() -> None:
    found, calls = answers([[1.0], [2.0, 3.0], [4.0], [5.0]])
    assert [list(part) for part in found] == [[10.0], [20.0, 30.0], [40.0], [50.0]]
    assert sum(calls) == 5
    assert len(calls) < 4


def test_one_bad_request_spoils_no_other() -> None:
    found, _ = answers([[1.0], [2.0], [-1.0], [4.0]])
    assert [list(found[n]) for n in (0, 1, 3)] == [[10.0], [20.0], [40.0]]
    assert isinstance(found[2], ValueError)


def test_never_more_rows_than_allowed() -> None:
    _, calls = answers([[1.0, 1.0]] * 10, max_rows=4)
    assert max(calls) <= 4


def test_not_joined_where_rows_may_depend_on_each_other() -> None:
    _, calls = answers([[1.0]] * 5, joinable=False)
    assert calls == [1] * 5


def test_bounded() -> None:
    recorder = Recorder()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        worker = Worker(model(recorder, joinable=False), loop, limits=(2, 1))
        answered: asyncio.Queue[Any] = asyncio.Queue()
        job = Job(Rows(array=np.ones((1, 1))), "predict", {}, answered.put_nowait)
        with pytest.raises(Refusal, match="no output"):
            worker.submit(Job(job.rows, "other", {}, answered.put_nowait))
        accepted = 0
        try:
            while accepted < 10:
                worker.submit(job)
                accepted += 1
        except Refusal as refusal:
            assert refusal.status == 503
        assert accepted in (2, 3)  # two wait; a third may be with the model already
        recorder.gate.set()
        for _ in range(accepted):
            assert list(await asyncio.wait_for(answered.get(), PATIENCE)) == [10.0]
        worker.stop()

    asyncio.run(main())

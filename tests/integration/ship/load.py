"""Clients with keep-alive connections and no retries, for as long as the test wants them."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.waiting import PATIENCE


@dataclass
class Load:
    port: int
    body: bytes
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        while not self._stop.is_set():
            try:
                connection.request(
                    "POST", "/invocations", self.body, {"Content-Type": "application/json"}
                )
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException) as error:
                with self._lock:
                    self.failures.append(repr(error))
                connection.close()
                continue
            with self._lock:
                if answer.status == 200:
                    self.answers[json.dumps(json.loads(text)["predictions"])] += 1
                else:
                    self.failures.append(f"{answer.status} {text[:200]!r}")
        connection.close()


@contextmanager
def load_on(port: int, body: bytes, clients: int = 8) -> Iterator[Load]:
    load = Load(port, body)
    threads = [threading.Thread(target=load.work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load._stop.set()
        for thread in threads:
            thread.join()

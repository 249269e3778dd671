"""What a test can make go wrong, and how often."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.github_server.messages import Json

KINDS = (
    "drop-before",  # the connection ends, nothing was done
    "drop-after",  # it was done, the connection ends without an answer
    "timeout-before",  # silence for `seconds`, nothing was done
    "timeout-after",  # it was done, then silence for `seconds`
    "status-before",  # `status` (502) as a gateway says it, nothing was done
    "status-after",  # it was done, then `status`
    "rate-limited",  # a bare 429 (or `status`), without Retry-After
    "retry-after",  # 429 (or `status`) with Retry-After: `seconds`
    "rate-exhausted",  # 403 of the primary limit, X-RateLimit-Reset in `seconds`
    "html",  # 500 (or `status`) with an HTML page, nothing was done
    "truncated",  # it was done, half of the JSON arrives
    "accepted",  # 202 with a message, nothing was done
    "conflict",  # 409 with a message, nothing was done
    "slow",  # done and answered, `seconds` later
    "together",  # `count` requests wait for each other (at most `seconds`), then all are done
)


@dataclass
class Fault:
    """`method` and `path` are regular expressions over the whole of each.

    `count` is how many requests it meets (-1: all), after it let `skip` of them pass.
    """

    kind: str
    method: str = ".*"
    path: str = ".*"
    count: int = 1
    skip: int = 0
    status: int = 0
    seconds: float = 30.0
    met: int = 0
    barrier: threading.Barrier | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.kind == "together":
            self.barrier = threading.Barrier(self.count)
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}: one of {', '.join(KINDS)}")

    def matches(self, method: str, path: str) -> bool:
        return bool(re.fullmatch(self.method, method) and re.fullmatch(self.path, path))


SHOWN = ("kind", "method", "path", "count", "skip", "status", "seconds", "met")


class Faults:
    """Those switched on, in order; the first that matches a request is used."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.active: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        with self.lock:
            self.active.append(fault)
        return fault

    def add_json(self, found: Json) -> Fault:
        if unknown := set(found) - set(SHOWN):
            raise ValueError(f"unknown keys {sorted(unknown)}: one of {sorted(SHOWN)}")
        return self.add(Fault(**found))

    def clear(self) -> None:
        with self.lock:
            self.active.clear()

    def meet(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for fault in self.active:
                if not fault.matches(method, path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.count < 0 or fault.met < fault.count:
                    fault.met += 1
                    return fault
        return None

    def dump(self) -> list[dict[str, Any]]:
        return [{name: getattr(fault, name) for name in SHOWN} for fault in self.active]

"""A GitHub that answers what a test wrote down, in that order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_ci.github.client import Client
from mlops_ci.github.patience import Patience, Trouble


@dataclass
class Script:
    """`answers` are given one by one; a Trouble is raised. `calls` are (verb, path, query, body)."""

    answers: list[Any]
    calls: list[tuple[str, str, dict[str, Any], Any]] = field(default_factory=list)

    def __call__(self, verb: str, path: str, query: Mapping[str, Any], body: Any) -> Any:
        self.calls.append((verb, path, dict(query), body))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def verbs(self) -> list[str]:
        return [call[0] for call in self.calls]


@dataclass
class Slept:
    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def patient(slept: Slept | None = None, **more: Any) -> Patience:
    return Patience(slept or Slept(), lambda: 0.5, **more)


def scripted(*answers: Any, slept: Slept | None = None, **more: Any) -> tuple[Client, Script]:
    script = Script(list(answers))
    return Client(script, patient(slept, **more)), script


def unclear() -> Trouble:
    return Trouble("unclear", "502 a page that is not JSON", 502)


def limited(wait: float | None = None) -> Trouble:
    return Trouble("limited", "secondary rate limit", 429, wait=wait)


def denied(said: str = "Resource not accessible by integration") -> Trouble:
    return Trouble("denied", said, 403)

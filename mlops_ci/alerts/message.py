"""What is told: one verdict sentence, and where to read on."""

from __future__ import annotations

from msgspec import Struct

from mlops_ci.config import Alarm


class ModelMessage(Struct, frozen=True, kw_only=True):
    """`headline` is the sentence of this model's check."""

    model: str
    verdict: str
    headline: str


class Message(Struct, frozen=True, kw_only=True):
    """`state` is the worst of all models; `deployed` when a new version answers. `commit` is the
    whole SHA, `pull_request` a number; addresses are None where there is nothing to open."""

    state: Alarm
    headline: str
    repository: str
    commit: str
    pull_request: int | None = None
    comment_url: str | None = None
    run_url: str | None = None
    models: list[ModelMessage] = []

    @property
    def url(self) -> str | None:
        return self.comment_url or self.run_url

    @property
    def place(self) -> str:
        where = f"#{self.pull_request}" if self.pull_request is not None else self.commit[:7]
        return f"{self.repository} {where}"

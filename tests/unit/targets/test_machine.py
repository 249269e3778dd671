"""Where a process may be started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mlops_ci.errors import UsageError
from mlops_ci.targets.machine import check_machine
from mlops_ci.world import World


def world(environ: Mapping[str, str], folder: Path) -> World:
    return World(environ=environ, folder=folder, say=lambda _: None)


def test_not_in_a_container_action(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="would end with it") as raised:
        check_machine(world({"GITHUB_ACTIONS": "true"}, tmp_path), container=tmp_path)
    assert "target: docker" in str(raised.value)


@pytest.mark.parametrize(
    ("environ", "container"),
    [({"GITHUB_ACTIONS": "true"}, "missing"), ({}, "."), ({"GITHUB_ACTIONS": "false"}, ".")],
)
def test_anywhere_else(environ: dict[str, str], container: str, tmp_path: Path) -> None:
    check_machine(world(environ, tmp_path), container=tmp_path / container)

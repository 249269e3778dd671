"""Whether a process that is started here outlives the command that started it."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.errors import UsageError
from mlops_ci.world import World

CONTAINER = Path("/.dockerenv")  # Docker puts it into every container


def check_machine(world: World, container: Path = CONTAINER) -> None:
    """Raises UsageError inside a container action: what it starts ends with its step."""
    if world.environ.get("GITHUB_ACTIONS") == "true" and container.exists():
        raise UsageError(
            "a process started in this action would end with it: there is no machine to stay on",
            where="deploy.target",
            fix="deploy to a Docker host:\n"
            "    deploy: {target: docker, host: ssh://deploy@example.org, port: 8080}",
        )

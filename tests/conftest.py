"""Fixtures of the machine, for every folder of tests but `unit`, which never asks for one."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.github_server.fixtures", "tests.machine.fixtures"]

# A loaded machine is no failure, and CI tries the same examples each time.
settings.register_profile(
    "here",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("here")

# pyspark, which MLflow imports, takes a process whose main module has no file for a doctest's, and
# ends it: a worker of xdist is such a one.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = str(Path(__file__).with_name("__init__.py"))

# Tests of these files run one after the other: act names a job's containers after its workflow, and
# the images of a service are made once. The first start that fits counts.
TOGETHER = {
    "tests/e2e/test_demo.py": "demo",
    "tests/e2e/": "act",
    "tests/integration/ship/test_bridge.py": "service",
    "tests/integration/ship/test_docker_target.py": "service",
    "tests/integration/ship/test_ssh_host.py": "service",
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """For `--dist loadfile`: all tests of a file on one worker, and those of files that go together."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            found = (name for start, name in TOGETHER.items() if nodeid.startswith(start))
            return next(found, super()._split_scope(nodeid))

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None

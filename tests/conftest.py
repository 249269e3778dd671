"""Fixtures of the machine, for every folder of tests but `unit`, which never asks for one."""

import os

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

# Tests that ask for the first fixture of these run one after the other, wherever they stand: act
# names a job's containers after its workflow, and those of a service share images that are made
# once. The others that share something stand in one file.
TOGETHER = ("machine", "haproxy_image")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For `--dist loadgroup`."""
    for item in items:
        asked = getattr(item, "fixturenames", ())
        group = next((name for name in TOGETHER if name in asked), item.path.stem)
        item.add_marker(pytest.mark.xdist_group(group))

"""Fixtures of the machine, for every folder of tests but `unit`, which never asks for one."""

import os

from hypothesis import settings

pytest_plugins = ["tests.github_server.fixtures", "tests.machine.fixtures"]

# A loaded machine is no failure, and CI tries the same examples each time.
settings.register_profile("here", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("here")

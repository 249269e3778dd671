"""Fixtures of the machine, for every folder of tests but `unit`, which never asks for one."""

import os
from pathlib import Path

from hypothesis import settings

pytest_plugins = ["tests.github_server.fixtures", "tests.machine.fixtures"]

# These play the action from the outside. They are collected as soon as there is one.
OF_THE_ACTION = ("e2e/test_story.py", "e2e/test_pull_requests.py", "machine/test_release.py")
HAS_ACTION = (Path(__file__).parents[1] / "action.yml").exists()
collect_ignore = [] if HAS_ACTION else list(OF_THE_ACTION)

# A loaded machine is no failure, and CI tries the same examples each time.
settings.register_profile("here", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("here")

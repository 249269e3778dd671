"""Fixtures of the machine, for every folder of tests but `unit`, which never asks for one."""

pytest_plugins = ["tests.github_server.fixtures", "tests.machine.fixtures"]

from __future__ import annotations

import copy
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.github_server.scenario import Scenario, build
from tests.github_server.server import GitHub
from tests.integration.github.desk import Desk


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return build(tmp_path_factory.mktemp("template") / "github")


@pytest.fixture
def scenario(template: Scenario, tmp_path: Path) -> Scenario:
    """As everywhere, but its commits are made once."""
    root = tmp_path / "github"
    shutil.copytree(template.root, root)
    config = root / "checkout" / ".git" / "config"
    config.write_text(config.read_text().replace(str(template.root), str(root)))
    return replace(template, root=root, seed=copy.deepcopy(template.seed))


@pytest.fixture
def desk(github: GitHub, scenario: Scenario) -> Desk:
    return Desk(github, scenario)

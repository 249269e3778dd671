"""The lock pins all that pyproject.toml asks for, and tells nobody where it was made."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.machine.scripts import ROOT

LOCK = (ROOT / "requirements.lock").read_text()
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+?)(?: ; .*)? \\$", re.MULTILINE)


def locked() -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for name, version in PINNED.findall(LOCK):
        versions.setdefault(name, set()).add(version)
    return versions


def asked_for() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = list(project["project"]["dependencies"])
    for extra in project["project"]["optional-dependencies"].values():
        lines += extra
    lines += [line for line in project["dependency-groups"]["dev"] if isinstance(line, str)]
    found = [Requirement(line) for line in lines]
    return [requirement for requirement in found if requirement.name != "mlops-ci"]


@pytest.mark.parametrize("requirement", asked_for(), ids=str)
def test_every_requirement_is_locked_to_a_version_that_satisfies_it(
    requirement: Requirement,
) -> None:
    versions = locked().get(canonicalize_name(requirement.name), set())
    assert versions, "run scripts/lock.sh"
    assert all(requirement.specifier.contains(version) for version in versions)


def test_every_pin_has_hashes() -> None:
    pins = [line for line in LOCK.splitlines() if re.match(r"^[a-z]", line)]
    assert len(pins) == len(PINNED.findall(LOCK))
    for pin in pins:
        assert f"{pin}\n    --hash=sha256:" in LOCK


def test_no_address_of_any_index_occurs() -> None:
    assert "://" not in LOCK
    assert not re.search(r"--(extra-)?index|--find-links|--trusted-host", LOCK)

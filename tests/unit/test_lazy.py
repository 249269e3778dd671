"""Packages give their names one by one, and all of them."""

from __future__ import annotations

from importlib import import_module

import pytest

PACKAGES = ("config", "data", "records", "report", "verdict")


@pytest.mark.parametrize("room", PACKAGES)
def test_every_name_is_there(room: str) -> None:
    package = import_module(f"mlops_ci.{room}")
    for name in package.__all__:
        assert getattr(package, name) is not None
    listed = [name for names in package.PLACES.values() for name in names]
    assert sorted(listed) == sorted(package.__all__)


@pytest.mark.parametrize("room", PACKAGES)
def test_another_name_is_an_attribute_error(room: str) -> None:
    with pytest.raises(AttributeError, match=f"mlops_ci.{room}' has no attribute 'panda'"):
        import_module(f"mlops_ci.{room}").panda  # noqa: B018

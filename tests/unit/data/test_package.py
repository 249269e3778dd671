"""The package gives its names one by one, and all of them."""

from __future__ import annotations

import pytest

from mlops_ci import data


@pytest.mark.parametrize("name", data.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(data, name).__module__.startswith("mlops_ci.data.")


def test_the_table_of_places_names_what_the_package_gives() -> None:
    assert sorted(data.MODULE_OF) == sorted(data.__all__)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'panda'"):
        data.panda  # noqa: B018

from __future__ import annotations

import msgspec
import pytest

from mlops_ci.value import Value, field


class Place(Value, frozen=True):
    name: str
    seen: list[str] = field(default_factory=list)


def test_a_value_is_what_it_holds() -> None:
    assert Place("a") == Place("a") != Place("b")


def test_a_value_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Place("a").name = "b"  # type: ignore[misc]
    assert msgspec.structs.replace(Place("a"), name="b") == Place("b")


def test_values_share_no_list() -> None:
    one, other = Place("a"), Place("a")
    one.seen.append("x")
    assert other.seen == []

"""Imports ahead of time change nothing but the time."""

from __future__ import annotations

import sys
import threading

from mlops_ci.action.warming import MODULES, Warming
from tests.waiting import wait_for


def test_a_module_that_is_missing_hinders_none_after_it() -> None:
    sys.modules.pop("wave", None)
    warming = Warming(("no_such_module_of_anybodys", "wave"))
    wait_for(lambda: "wave" in sys.modules, "the import of the second module")
    warming.end()


def test_no_import_is_under_way_after_the_end() -> None:
    before = threading.active_count()
    warming = Warming(("no_such_module_of_anybodys",) * 100_000)
    warming.end()
    assert threading.active_count() == before


def test_all_of_them_can_be_imported_here() -> None:
    assert all(importable(name) for name in MODULES)


def importable(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None

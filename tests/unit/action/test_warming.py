"""Imports ahead of time change nothing but the time."""

from __future__ import annotations

import sys

from mlops_ci.action.warming import MODULES, begin_imports


def test_a_module_that_is_missing_hinders_none_after_it() -> None:
    thread = begin_imports(("no_such_module_of_anybodys", "wave"))
    thread.join(30)
    assert not thread.is_alive()
    assert "wave" in sys.modules


def test_the_program_does_not_wait_for_them() -> None:
    assert begin_imports(()).daemon


def test_all_of_them_can_be_imported_here() -> None:
    assert all(importable(name) for name in MODULES)


def importable(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None

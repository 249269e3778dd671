"""Addresses find the plots that they belong to."""

from __future__ import annotations

from dataclasses import replace

from mlops_ci.action.pictures import _addressed
from mlops_ci.report import Plot
from tests.unit.report.states import SECTIONS


def test_each_plot_gets_its_two_addresses_in_order() -> None:
    plots = [Plot(title, title, b"light", b"dark") for title in "abc"]
    sections = [
        replace(SECTIONS["better"](), plots=tuple(plots[:1])),
        SECTIONS["untouched"](),
        replace(SECTIONS["worse"](), plots=tuple(plots[1:])),
    ]
    addresses = [f"{title}-{theme}" for title in "abc" for theme in ("light", "dark")]
    found = [plot for section in _addressed(sections, addresses) for plot in section.plots]
    assert [(p.title, p.light_url, p.dark_url) for p in found] == [
        (title, f"{title}-light", f"{title}-dark") for title in "abc"
    ]

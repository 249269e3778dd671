"""A report in the terminal and in the files that were asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_ci.errors import UsageError

if TYPE_CHECKING:
    from mlops_ci.report import Report
    from mlops_ci.steps.sides import Outcome

WIDTH = 100  # columns where nobody looks: a file, a pipe


def show_report(outcome: Outcome, options: Mapping[str, Any]) -> None:
    """Of two files; `--json` prints the comparison's record."""
    if options["json"]:
        from mlops_ci.cli.as_json import to_json

        print(to_json(outcome.comparison))
        if options["html"] is None and options["markdown"] is None:
            return
    from mlops_ci.report import report_of, section_of

    section = section_of(outcome.comparison)
    if options["html"] is not None and outcome.head is not None:
        from dataclasses import replace

        section = replace(section, plots=_plots(outcome))
    report = report_of([section])
    write_files(report, options)
    if not options["json"]:
        print_report(report)


def write_files(report: Report, options: Mapping[str, Any]) -> None:
    """Raises UsageError for a file that cannot be written."""
    from mlops_ci.report import render_html, render_markdown

    for name, render in (("markdown", render_markdown), ("html", render_html)):
        path: Path | None = options.get(name)
        if path is None:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(render(report), encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"--{name}: the file cannot be written: {error.strerror}", where=str(path)
            ) from error


def show_in_browser(path: Path) -> None:
    """Told on standard error: `--json` stays one document."""
    import webbrowser

    address = path.resolve().as_uri()
    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    print(f"opened {path}" if opened else f"no browser was found: open {path}", file=sys.stderr)


def print_report(report: Report) -> None:
    """In colours on a terminal that has them (NO_COLOR is respected), plain when piped."""
    from mlops_ci.report import render_terminal

    terminal = sys.stdout.isatty()
    width = _columns() if terminal else WIDTH
    color = terminal and not os.environ.get("NO_COLOR")
    print(render_terminal(report, max(width, 40), color=color), end="")


def _columns() -> int:
    from shutil import get_terminal_size

    return get_terminal_size((WIDTH, 24)).columns


def _plots(outcome: Outcome) -> tuple[Any, ...]:
    from mlops_ci.report.plots import draw_plots
    from mlops_ci.steps.report import WITHOUT_MATPLOTLIB

    base, head = outcome.comparison.base, outcome.comparison.head
    if outcome.head is None:
        return ()
    try:
        names = (base.name if base else "base", head.name)
        return draw_plots(outcome.base, outcome.head, names, outcome.comparison)
    except ImportError:
        print(WITHOUT_MATPLOTLIB, file=sys.stderr)
        return ()

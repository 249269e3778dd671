"""Templates: ours, and a project's own in place of them.

A project's template extends ours (`{% extends "mlops-ci/comment.md.j2" %}`) and replaces blocks of
it. It comes with the change that is judged, so it runs in Jinja's sandbox and sees nothing but
text; what it says changes no verdict, no check and no exit code.
https://jinja.palletsprojects.com/en/stable/sandbox/
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from mlops_ci.errors import UsageError
from mlops_ci.report.forest import legend
from mlops_ci.report.markup import hypertext, markdown, summary
from mlops_ci.report.model import Report
from mlops_ci.report.numbers import NBSP, count
from mlops_ci.report.phrase import Phrase, quoted

COMMENT = "comment.md.j2"
PAGE = "page.html.j2"
OURS = "mlops-ci"
NAMES = (COMMENT, PAGE, "tables.md.j2", "page.css")
LONGEST = 64_000  # bytes of a template


def render(report: Report, name: str, view: Mapping[str, Any]) -> str:
    """By the project's template; by ours when there is none, or when theirs does not work: then the
    report says so."""
    make = _page if name == PAGE else _markdown
    problem = ""
    if report.templates:
        try:
            theirs = make(_frozen(report.templates)).get_template(name)
            return str(theirs.render(view, problem=""))
        except Exception as error:  # noqa: BLE001 - somebody else's program
            problem = f"the project's template for `{name}` was not used: {_told(error)}"
    told = quoted(problem) if problem else Phrase()
    shown = told if name == PAGE else markdown(told)
    return str(make(()).get_template(name).render(view, problem=shown))


def _told(error: Exception) -> str:
    line = getattr(error, "lineno", None)
    where = f"line {line}: " if line is not None else ""
    return f"{where}{type(error).__name__}: {error}"


def read_templates(folder: Path) -> dict[str, str]:
    """A project's own, by name. Raises UsageError for a folder that holds none of them."""
    found = {name: folder / name for name in NAMES if (folder / name).is_file()}
    if not found:
        raise UsageError(
            "report.templates: there is none of the templates in this folder",
            where=str(folder),
            fix=f"name a file there as one of ours: {', '.join(NAMES)}",
        )
    large = [name for name, path in found.items() if path.stat().st_size > LONGEST]
    if large:
        raise UsageError(
            f"report.templates: {large[0]} is longer than {LONGEST:,} bytes", where=str(folder)
        )
    return {name: path.read_text("utf-8", "replace") for name, path in found.items()}


def _frozen(templates: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(templates.items()))


@lru_cache(maxsize=4)
def _markdown(templates: tuple[tuple[str, str], ...]) -> Any:
    made = _environment(dict(templates), autoescape=False)
    made.filters["cell"] = lambda phrase: markdown(phrase, cell=True)
    made.filters["md"] = markdown
    made.filters["html"] = summary
    made.filters["nbsp"] = lambda content: content.replace(" ", NBSP)
    made.globals["nbsp"] = NBSP
    made.globals["floor_legend"] = legend(compared=False)
    return made


@lru_cache(maxsize=4)
def _page(templates: tuple[tuple[str, str], ...]) -> Any:
    from markupsafe import Markup

    made = _environment(dict(templates), autoescape=True)
    made.filters["html"] = lambda phrase: Markup(hypertext(phrase))  # noqa: S704 - it escapes
    return made


def _environment(theirs: Mapping[str, str], *, autoescape: bool) -> Any:
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    ours = jinja2.PackageLoader("mlops_ci.report", "templates")
    make = ImmutableSandboxedEnvironment if theirs else jinja2.Environment
    made = make(
        loader=jinja2.ChoiceLoader(
            [jinja2.DictLoader(theirs), jinja2.PrefixLoader({OURS: ours}), ours]
        ),
        autoescape=autoescape,  # markdown: names are escaped by markup.py
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["count"] = count
    made.globals.update(legend=legend(), open_legend=legend(gated=False))
    return made

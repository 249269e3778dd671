"""Templates: ours, and a project's own in place of them.

A project's template extends ours (`{% extends "mlops-ci/comment.md.j2" %}`) and replaces blocks of
it. It comes with the change that is judged, so it runs in Jinja's sandbox and sees nothing but
text; what it says changes no verdict, no check and no exit code.
https://jinja.palletsprojects.com/en/stable/sandbox/
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mlops_ci.report.forest import legend
from mlops_ci.report.markup import hypertext, markdown, summary
from mlops_ci.report.model import Report
from mlops_ci.report.numbers import NBSP, count

COMMENT = "comment.md.j2"
PAGE = "page.html.j2"
OURS = "mlops-ci/"


def comment_template(report: Report) -> Any:
    return _markdown(_frozen(report.templates)).get_template(COMMENT)


def page_template(report: Report) -> Any:
    return _page(_frozen(report.templates)).get_template(PAGE)


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
    made = ImmutableSandboxedEnvironment(
        loader=jinja2.ChoiceLoader(
            [jinja2.DictLoader(theirs), jinja2.PrefixLoader({OURS[:-1]: ours}), ours]
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

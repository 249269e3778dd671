"""The comment as GitHub renders it, before anything is posted: by GitHub's own markdown renderer
(cmark-gfm), in a page that works offline.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

from mlops_ci.errors import UsageError
from mlops_ci.report.markdown import render_markdown
from mlops_ci.report.model import Plot, Report, Section
from mlops_ci.report.words import report_headline, report_mark

STYLE = Path(__file__).parent / "templates" / "preview.css"
# Scripts are taken out by GitHub; here none can run.
POLICY = "default-src 'none'; img-src data: https:; style-src 'unsafe-inline'"


def render_preview(report: Report) -> str:
    """With the pictures in it that a comment shows from the branch of plots. Raises UsageError
    without cmarkgfm.
    """
    pictures: dict[str, bytes] = {}
    shown = report if report.charts else _placed(report, pictures)
    body = _rendered(render_markdown(shown))
    for place, content in pictures.items():
        address = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        body = body.replace(f'"{place}"', f'"{address}"')
    title = _escaped(f"{report_mark(report)} {report_headline(report)}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{title}</title><style>{STYLE.read_text('utf-8')}</style></head>\n"
        f'<body><main class="comment">{body}</main></body></html>\n'
    )


def _placed(report: Report, pictures: dict[str, bytes]) -> Report:
    """Short addresses while the markdown is made: a picture's bytes would count as its length."""

    def placed(section: Section, plot: Plot) -> Plot:
        light, dark = (
            f"plot:{len(pictures)}:{tone}:{section.model.encode().hex()[:16]}"
            for tone in ("light", "dark")
        )
        pictures[light], pictures[dark] = plot.light, plot.dark
        return replace(plot, light_url=light, dark_url=dark)

    sections = (
        replace(section, plots=tuple(placed(section, plot) for plot in section.telling_plots))
        for section in report.models
    )
    return replace(report, models=tuple(sections))


def _rendered(markdown: str) -> str:
    try:
        import cmarkgfm
        from cmarkgfm.cmark import Options
    except ImportError as error:
        raise UsageError(
            "--preview needs GitHub's markdown renderer",
            fix="pip install 'mlops-ci[preview]'",
        ) from error
    options = Options.CMARK_OPT_UNSAFE  # the comment's <details> and <picture>
    return str(cmarkgfm.github_flavored_markdown_to_html(markdown, options))


def _escaped(words: str) -> str:
    import html

    return html.escape(words)

"""`mlops-ci report`."""

from __future__ import annotations

from typing import Any

import click

from mlops_ci.cli.declared import declared


@click.command(name="report")
@declared("report")
def command(**options: Any) -> int:
    """Show the last comparison of every model again; write it as a page or as markdown.

    The comparison is not made again, so the exit code is 0 whatever its verdict.
    """
    from mlops_ci.cli.models import chosen, project_here
    from mlops_ci.cli.reporting import print_report, show_in_browser, write_files
    from mlops_ci.report import render_json, report_of
    from mlops_ci.steps.report import (
        ReportRequest,
        recorded_section,
        report,
        styled,
        with_plots,
    )

    project = project_here(options["folder"])
    sections = []
    for name in chosen(project, options["model"]):
        section = recorded_section(project, name)
        _refuse_another_base(project, section, options["base"])
        report(project, name, ReportRequest(section))
        sections.append(with_plots(project, section))
    bases = [s.comparison.base.name for s in sections if s.comparison and s.comparison.base]
    shown = styled(project, report_of(sections, base_name=bases[0] if bases else "main"))
    write_files(shown, options)
    for path in _pages(project, shown, options):
        show_in_browser(path)
    if options["json"]:
        print(render_json(shown), end="")
    else:
        print_report(shown)
    return 0


def _pages(project: Any, shown: Any, options: dict[str, Any]) -> list[Any]:
    """Written below `.mlops-ci`, over all models that were asked for."""
    from mlops_ci.records.files import write_atomically
    from mlops_ci.report import render_html
    from mlops_ci.report.preview import render_preview

    folder = project.records.path
    wanted = {"open": ("report.html", render_html), "preview": ("comment.html", render_preview)}
    found = []
    for option, (name, render) in wanted.items():
        if options[option]:
            project.records.ignore()
            write_atomically(folder / name, render(shown).encode())
            found.append(folder / name)
    return found


def _refuse_another_base(project: Any, section: Any, ref: str | None) -> None:
    """Raises UsageError when the last comparison was made with another base than asked for."""
    from mlops_ci.errors import UsageError

    comparison = section.comparison
    if ref is None or comparison is None:
        return
    made = comparison.base.commit if comparison.base is not None else None
    if project.git.commit_of(ref) != made:
        raise UsageError(
            f"the last comparison of {section.model} was not made with {ref}",
            where=made or "a first run",
            fix=f"mlops-ci compare --base {ref}",
        )

"""`report`: records in; report.md, report.html and plots beside them, and a Report record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

import msgspec

from mlops_ci.errors import ConfigError, RecordError, UsageError
from mlops_ci.project import Project
from mlops_ci.records import (
    Build,
    Comparison,
    Deployment,
    Evaluation,
    Push,
    Training,
)
from mlops_ci.records import Report as ReportRecord
from mlops_ci.records.files import KINDS, write_atomically
from mlops_ci.report import (
    Failure,
    Links,
    Report,
    Section,
    render_html,
    render_markdown,
    report_of,
    section_of,
)
from mlops_ci.report.album import album_files, read_album
from mlops_ci.report.templating import LONGEST, NAMES, read_templates

if TYPE_CHECKING:
    from mlops_ci.data import Predictions
    from mlops_ci.report.exhibit import Exhibit
    from mlops_ci.report.studio import Drawing

R = TypeVar("R", bound=msgspec.Struct)

PLOTS = "plots"
WITHOUT_MATPLOTLIB = "plots left out: they need matplotlib (`pip install 'mlops-ci[plots]'`)"
TAIL = 6000  # bytes of a log


@dataclass(frozen=True)
class ReportRequest:
    """`section`: what the plan has in hand; None: read from the records. `base`, `head` are the
    predictions to draw, `exhibits` what the project has of its own; without any of them the plots
    that are already there are kept. `drawn`: False where somebody else draws or nobody looks.
    `drawing`: another process is at it already.
    """

    section: Section | None = None
    base: Predictions | None = None
    head: Predictions | None = None
    links: Links = field(default_factory=Links)
    base_name: str = "main"
    head_name: str = "this PR"
    drawn: bool = True
    exhibits: tuple[Exhibit, ...] = ()
    notes: tuple[str, ...] = ()
    drawing: Drawing | None = None


def report(project: Project, name: str, request: ReportRequest) -> ReportRecord:
    """Raises RecordError when there is no section and no record to make one of."""
    section = request.section or recorded_section(project, name)
    folder = project.records.of(name, _commit_of(project, section))
    notes = list(request.notes)
    section = _with_plots(section, folder, request, notes)
    shown = report_of(
        [section], request.links, base_name=request.base_name, head_name=request.head_name
    )
    return _write(project, styled(project, shown), folder, notes)


def recorded_section(project: Project, name: str) -> Section:
    """The model's last result: of the commit at hand, else of the last comparison."""
    project.model(name)
    records = project.records
    for commit in (project.commit, records.pointed(name, "head")):
        if commit is None:
            continue
        training = _found(project, name, commit, Training)
        if records.file(name, commit, "compare").is_file():
            comparison = records.read(name, commit, Comparison)
            return _compared(project, comparison, training, commit)
        if training is not None and training.command and training.exit_code != 0:
            return _failed(project, name, training)
    raise RecordError(
        f"there is nothing to report about {name} yet",
        where=str(records.path / name),
        fix="run `mlops-ci run` first",
    )


def _compared(
    project: Project, comparison: Comparison, training: Training | None, commit: str
) -> Section:
    name = comparison.model
    base = comparison.base.commit if comparison.base is not None else None
    records = {
        "build": _found(project, name, commit, Build),
        "push": _found(project, name, commit, Push),
        "deploy": _found(project, name, commit, Deployment),
    }
    shipped = {step: record for step, record in records.items() if record is not None}
    section = section_of(
        comparison,
        training=training,
        evaluation=_found(project, name, commit, Evaluation),
        base_training=_found(project, name, base, Training) if base else None,
        base_evaluation=_found(project, name, base, Evaluation) if base else None,
        shipped=shipped,
    )
    return replace(section, state="live") if "deploy" in shipped else section


def _found(project: Project, name: str, commit: str, kind: type[R]) -> R | None:
    """A record that is there and whole; what is broken is missing from the report, not its end."""
    step = next(step for step, known in KINDS.items() if known is kind)
    if not project.records.file(name, commit, step).is_file():
        return None
    try:
        return project.records.read(name, commit, kind)
    except RecordError:
        return None


def _failed(project: Project, name: str, training: Training) -> Section:
    command = " ".join(training.command)
    how = f"ended with exit code {training.exit_code}"
    if training.exit_code is None:
        signal = training.signal
        how = f"was ended by signal {signal}" if signal else "ran out of time"
    failure = Failure(
        step="train",
        what=f"`{command}` {how}",
        where=training.log or "",
        tail=_tail(project.root / training.log) if training.log else "",
        exit_code=6,
    )
    return Section(name, "failed", training=training, failure=failure)


def _tail(log: Path) -> str:
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL))
        return file.read().decode("utf-8", "replace")


def _commit_of(project: Project, section: Section) -> str:
    comparison = section.comparison
    commit = comparison.head.commit if comparison is not None else None
    return commit or (section.training.commit if section.training else project.commit)


def with_plots(project: Project, section: Section) -> Section:
    """With the pictures that were drawn when the predictions were at hand."""
    folder = project.records.of(section.model, _commit_of(project, section))
    plots, charts = read_album(folder / PLOTS)
    return replace(section, plots=plots, charts=charts)


def styled(project: Project, shown: Report) -> Report:
    """As the project wants its reports: by its own templates, with plots as text. In a runner they
    are base's: a pull request does not write the words that it is judged in."""
    charts = project.config.plots in {"mermaid", "artifact"}
    shown = replace(shown, prices=project.config.prices)
    if project.world.environ.get("GITHUB_ACTIONS") == "true":
        return replace(shown, charts=charts, templates=_templates_of_base(project, shown))
    folder = project.config.report.templates
    if folder is None:
        return replace(shown, charts=charts)
    place = (project.root / folder).resolve()
    if not place.is_relative_to(project.git.root.resolve()):
        raise UsageError(
            "report.templates: the folder lies outside of the repository", where=str(place)
        )
    return replace(shown, charts=charts, templates=read_templates(place))


def _templates_of_base(project: Project, shown: Report) -> dict[str, str]:
    """None of them before base has any: then ours are used."""
    bases = [s.comparison.base for s in shown.models if s.comparison and s.comparison.base]
    commit = next((base.commit for base in bases if base.commit), None)
    try:
        config = project.config_at(commit) if commit else None
    except ConfigError:
        config = None
    folder = config.report.templates if config is not None else None
    if commit is None or folder is None:
        return {}
    place = PurePosixPath(project.prefix, folder)
    found = {name: project.git.show(commit, str(place / name)) for name in NAMES}
    return {
        name: content.decode("utf-8", "replace")
        for name, content in found.items()
        if content is not None and len(content) <= LONGEST
    }


def _with_plots(
    section: Section, folder: Path, request: ReportRequest, notes: list[str]
) -> Section:
    if section.plots or not request.drawn:
        return section
    if request.head is None and not request.exhibits:
        plots, charts = read_album(folder / PLOTS)
        return replace(section, plots=plots, charts=charts)
    from mlops_ci.report.charts import draw_charts
    from mlops_ci.report.exhibit_plots import draw_exhibits
    from mlops_ci.report.plots import draw_plots

    comparison = section.comparison
    base = comparison.base.name if comparison and comparison.base else request.base_name
    names = (base, request.head_name)
    notes += _drawn_by_chance(request.head)
    section = replace(section, charts=draw_charts(request.base, request.head))
    try:
        plots = (
            request.drawing.plots(comparison)
            if request.drawing is not None
            else draw_plots(request.base, request.head, names, comparison)
        )
        plots += tuple(draw_exhibits(request.exhibits, names, notes))
    except ImportError:
        notes.append(WITHOUT_MATPLOTLIB)
        return section
    except (ValueError, ArithmeticError, LookupError) as error:  # a picture hides no verdict
        notes.append(f"plots left out: {type(error).__name__}: {error}")
        return section
    return replace(section, plots=plots)


def _drawn_by_chance(head: Predictions | None) -> tuple[str, ...]:
    from mlops_ci.data import room

    if head is None or not room.is_many(head.rows):
        return ()
    return (f"the curves show {room.MANY:,} of {head.rows:,} rows, drawn by chance",)


def _write(project: Project, shown: Report, folder: Path, notes: list[str]) -> ReportRecord:
    section = shown.models[0]
    project.records.ignore()
    files = {
        "report.md": render_markdown(shown).encode(),
        "report.html": render_html(shown).encode(),
    }
    album = album_files(section.plots, section.charts)
    pictures = {f"{PLOTS}/{path}": content for path, content in album}
    for path, content in {**files, **pictures}.items():
        write_atomically(folder / path, content)
    inside = folder.relative_to(project.root).as_posix()
    record = ReportRecord(
        model=section.model,
        commit=folder.name,
        markdown=f"{inside}/report.md",
        html=f"{inside}/report.html",
        plots=[f"{inside}/{path}" for path in pictures if path.endswith(".png")],
        notes=notes,
    )
    project.records.write("report", record)
    return record

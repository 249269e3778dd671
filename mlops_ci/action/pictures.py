"""Plots → what the comment can show of them, by the chain of `plots:` in mlops-ci.yaml.

A job that cannot do what was asked draws the plots as text, and the comment's last line, which is
what differs from run to run, says so: its body is what a laptop writes with `plots: mermaid`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mlops_ci.action.task import Task, leg_of
from mlops_ci.config import Plots
from mlops_ci.errors import DOCS, AccessError, UsageError
from mlops_ci.github.artifacts import open_artifacts
from mlops_ci.github.attachments import TOKEN, Attachments, no_token, place_of_uploads
from mlops_ci.github.client import Client
from mlops_ci.github.pictures import BRANCH
from mlops_ci.project import Project
from mlops_ci.report import Report, Section, render_html
from mlops_ci.report.album import album_files

CHAIN: dict[Plots, tuple[Plots, ...]] = {"auto": ("branch", "attachments")}
ARTIFACT = "mlops-ci-plots"
DENIED = {
    "branch": f"this job may not write the branch {BRANCH}",
    "attachments": f"there is no {TOKEN} that may attach them",
    "artifact": "this job may keep no artifacts",
}
FAILED = {
    "branch": f"the branch {BRANCH} could not be written",
    "attachments": "they could not be attached",
    "artifact": "the artifact could not be kept",
}


def with_pictures(task: Task, report: Report, project: Project) -> Report:
    """Nothing is raised: a comment without pictures is a comment."""
    client, choice = task.posting.client, project.config.plots
    drawn = any(section.plots for section in report.models)
    if not drawn or client is None or choice in {"mermaid", "none"} or task.event.number is None:
        return report
    return _Hosting(task, client, report, project).show()


@dataclass(frozen=True)
class _Hosting:
    task: Task
    client: Client
    report: Report
    project: Project

    def show(self) -> Report:
        choice, why = self.project.config.plots, ""
        ways = CHAIN.get(choice, (choice,))
        for way in ways:
            if choice == "auto" and way == "attachments" and not self._token:
                continue  # nobody has asked for them
            found = self._by(way, quiet=choice == "auto")
            if isinstance(found, Report):
                return replace(found, plots_note=f"plots as {way}: {why}" if why else "")
            why = why or found
        drawn = any(section.charts for section in self.report.models)
        where = "plots as text" if drawn else "plots in the report's page"
        return replace(self.report, charts=True, plots_note=f"{where}: {why}")

    def _by(self, way: Plots, *, quiet: bool) -> Report | str:
        """The report, or in a few words why not; what to do about it is said in the log."""
        denied: list[AccessError | UsageError] = []

        def work() -> Report:
            try:
                return self._ways[way]()
            except (AccessError, UsageError) as error:
                denied.append(error)
                raise

        found = self.task.posting.attempt("the plots were not published", work, quiet=quiet)
        if found is not None:
            return found
        if quiet and denied and not self.task.event.fork:
            self.task.runner.say(f"- {denied[0].what}; {denied[0].fix}")
        return (DENIED if denied else FAILED)[way]

    @property
    def _ways(self) -> dict[Plots, Callable[[], Report]]:
        return {
            "branch": self._on_branch,
            "attachments": self._attached,
            "artifact": self._in_artifact,
        }

    def _on_branch(self) -> Report:
        pictures = self.task.pictures
        if pictures is None:
            raise _not_on_branch("there is no token for Git")
        try:
            return self._addressed(pictures.publish(self._contents))
        except AccessError as error:
            raise _not_on_branch(error.what) from error

    def _attached(self) -> Report:
        if not self._token:
            raise no_token()
        world = self.task.world
        self.task.runner.mask(self._token)
        attachments = Attachments(
            place_of_uploads(world.environ),
            self._token,
            self._repository_id(),
            self._web,
            self.client.patience,
            world.now().timestamp(),
        )
        return self._addressed(attachments.publish(self._contents))

    def _in_artifact(self) -> Report:
        """The pictures behind one link, and in the comment as text."""
        world = self.task.world
        artifacts = open_artifacts(world.environ, self.client.patience, world.now().timestamp())
        number = artifacts.publish(self._artifact, self._files())
        run = world.environ.get("GITHUB_RUN_ID", "")
        address = f"{self._web}/{self.task.event.repository}/actions/runs/{run}/artifacts/{number}"
        return replace(self.report, charts=True, plots_url=address)

    @property
    def _artifact(self) -> str:
        """Every step of every job of a run has one of its own: a name is given once."""
        environ = self.task.world.environ
        told = [leg_of(self.task.inputs, self.task.world)]
        told += [environ.get(name, "") for name in ("GITHUB_ACTION", "GITHUB_RUN_ATTEMPT")]
        return f"{ARTIFACT}-{hashlib.sha256(' '.join(told).encode()).hexdigest()[:8]}"

    def _files(self) -> dict[str, bytes]:
        files = {"report.html": render_html(self.report).encode()}
        for section in self.report.models:
            pictures = album_files(section.plots, section.charts)
            files |= {f"{section.model}/{path}": content for path, content in pictures}
        return files

    def _repository_id(self) -> int:
        known = self.task.world.environ.get("GITHUB_REPOSITORY_ID", "")
        if known.isdecimal():
            return int(known)
        return int(self.client.get(f"/repos/{self.task.event.repository}")["id"])

    @property
    def _token(self) -> str:
        return self.task.world.environ.get(TOKEN, "")

    @property
    def _web(self) -> str:
        return self.task.world.environ.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")

    @property
    def _contents(self) -> list[bytes]:
        plots = [plot for section in self.report.models for plot in section.telling_plots]
        return [content for plot in plots for content in (plot.light, plot.dark)]

    def _addressed(self, addresses: Sequence[str]) -> Report:
        return replace(self.report, models=addressed(self.report.models, addresses))


def addressed(sections: Sequence[Section], addresses: Sequence[str]) -> tuple[Section, ...]:
    """Only the most telling plots have addresses: the page shows all."""
    pairs = iter(zip(addresses[::2], addresses[1::2], strict=True))

    def placed(section: Section) -> Section:
        places = {plot.name: next(pairs) for plot in section.telling_plots}
        plots = tuple(
            replace(plot, light_url=places[plot.name][0], dark_url=places[plot.name][1])
            if plot.name in places
            else plot
            for plot in section.plots
        )
        return replace(section, plots=plots)

    return tuple(placed(section) for section in sections)


def begin_pictures(task: Task, project: Project) -> None:
    """Look at the branch while the model is trained, where a comment may show pictures of it."""
    choice = project.config.plots
    if task.event.number is not None and choice in {"auto", "branch"} and not task.event.fork:
        pictures = task.pictures
        if pictures is not None:
            pictures.begin()


def _not_on_branch(said: str) -> AccessError:
    return AccessError(
        f"the plots were not written to the branch {BRANCH}: {said}",
        where=BRANCH,
        fix="give the job the right, or choose another way (`plots:`):\n"
        "    permissions:\n      contents: write",
        link=f"{DOCS}/config.md",
    )

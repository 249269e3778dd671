"""From the runner's environment to an exit code; every error becomes a document in the log."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import NoReturn

from mlops_ci import __version__
from mlops_ci.action.inputs import read_inputs, readable_inputs
from mlops_ci.action.judging import judge
from mlops_ci.action.results import OUTPUTS
from mlops_ci.action.single import run_step
from mlops_ci.action.task import Task, make_posting
from mlops_ci.action.warming import MODULES, Warming
from mlops_ci.engines.owner import return_to_owner
from mlops_ci.errors import (
    DOCS,
    EXIT_FINE,
    EXIT_INTERRUPTED,
    EXIT_TERMINATED,
    InternalError,
    MlopsCiError,
    Terminated,
    UsageError,
)
from mlops_ci.github.event import read_event
from mlops_ci.github.runner import Runner
from mlops_ci.options import STEPS
from mlops_ci.report.studio import open_studio
from mlops_ci.world import World

POST = "post"
CLOSED = "closed"  # the state that tells the post step that there is nothing to do
OURS = ("INPUT_", "ACTIONS_", "GITHUB_TOKEN", "GH_TOKEN")
# HOME is the user's own too: settings that their command leaves there are not for Git with our key.
OWN_GIT = {"GIT_CONFIG_GLOBAL": os.devnull}
CANCELLED = (
    "The job ended before its verdict: it was cancelled, ran out of time, or lost its runner."
)

GIVEN_BACK = "files of a run that was killed, given to the workspace's owner"


def main(arguments: Sequence[str]) -> int:
    environ = {**os.environ, **OWN_GIT}
    _forget_keys()
    runner = Runner(environ, sys.stdout.buffer)
    post = bool(arguments) and arguments[0] == POST
    step = next(iter(arguments[1:] if post else arguments), "")
    try:
        task = _open(step, runner, environ)
        return _close(task) if post else _run(task)
    except MlopsCiError as error:
        runner.say(f"error: {error}")
        runner.annotate("warning" if post else "error", str(error), title="mlops-ci")
        if post:
            return EXIT_FINE
        runner.output("verdict", "error")
        return error.exit_code


def _open(step: str, runner: Runner, environ: Mapping[str, str]) -> Task:
    if step and step not in STEPS:
        raise UsageError(
            f"there is no step {step!r}",
            where="action.yml, runs.args",
            fix=f"one of: {', '.join(STEPS)}; or none, for what the event asks for",
        )
    wrong: MlopsCiError | None = None
    try:
        inputs = read_inputs(step, environ)
    except UsageError as error:
        inputs, wrong = readable_inputs(step, environ), error
    if inputs.get("token"):
        runner.mask(inputs["token"])
    world = World(environ=environ, folder=runner.workspace, say=runner.say)
    event = read_event(environ)
    posting = make_posting(event, inputs, runner, world)
    return Task(step, inputs, runner, world, event, posting, wrong=wrong)


def _run(task: Task) -> int:
    signal.signal(signal.SIGTERM, _terminate)
    warming = Warming(MODULES if not task.step and task.event.asks else ())
    try:
        if not task.step and task.event.number is not None and task.event.asks:
            task.studio = open_studio(task.names["head_name"])
        code = judge(task) if not task.step else run_step(task)
    except (KeyboardInterrupt, Terminated) as stop:
        code = EXIT_TERMINATED if isinstance(stop, Terminated) else EXIT_INTERRUPTED
        task.outputs["verdict"] = "error"
        task.posting.close("cancelled", "Cancelled", CANCELLED)
    except Exception as error:  # noqa: BLE001 - the one door: a bug is reported, not hidden
        code = _bug(task, error)
    if task.studio is not None:
        task.studio.close()
    warming.end()
    for name in OUTPUTS:
        task.runner.output(name, task.outputs.get(name, ""))
    if not task.posting.open_checks:
        task.runner.state(CLOSED, "true")
    return code


def _bug(task: Task, error: Exception) -> int:
    text = traceback.format_exc()
    task.runner.say(
        f"{text}\nerror: this is a bug of mlops-ci {__version__}. Please report the text above.\n"
        f"  more:  {DOCS}/errors.md"
    )
    said = f"a bug of mlops-ci: {type(error).__name__}: {error}"
    task.runner.annotate("error", said, title="mlops-ci")
    task.outputs["verdict"] = "error"
    try:
        task.posting.close("failure", "A bug of mlops-ci", "The job's log has the details.")
    except Exception:  # noqa: BLE001 - the bug may be there; outputs are written all the same
        task.runner.say(traceback.format_exc())
    return InternalError.exit_code


def _close(task: Task) -> int:
    """The post step, after success, failure and cancelling: no check stays open, no file ours."""
    if task.world.environ.get(f"STATE_{CLOSED}") != "true":
        workspace = task.runner.workspace
        if count := return_to_owner(workspace, workspace):
            task.runner.say(f"{GIVEN_BACK}: {count}")
        task.posting.close("cancelled", "Ended without a verdict", CANCELLED)
        for error in task.posting.errors:
            task.runner.say(f"{error}")
    return EXIT_FINE


def _forget_keys() -> None:
    """Programs that libraries start on their own inherit no key of ours; the world's copy, out of
    which every environment of ours is made, keeps them. Caches of ours stay in the container:
    HOME is the runner's own folder, where root's files would be in its way."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]
    if "MPLCONFIGDIR" not in os.environ:
        os.environ["MPLCONFIGDIR"] = tempfile.mkdtemp(prefix="mlops-ci-matplotlib-")


def _terminate(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated

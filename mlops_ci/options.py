"""Every option, declared once.

Command-line flags, action inputs, MLOPS_CI_* variables and the tables in the docs come from here.
`max-drop` is the flag and the input; `max_drop` the parameter; `MLOPS_CI_MAX_DROP` the variable.
"""

from __future__ import annotations

from typing import Literal

from mlops_ci.value import Value

Kind = Literal["text", "path", "flag", "number", "integer", "choice"]


class Option(Value, frozen=True):
    """One option. `steps` name the commands that take it; `metavar` shows its form.

    `only`: `cli` options have no action input, `action` inputs have no flag; None: both.
    A `multiple` option may be given often on the command line, and holds one value a line in an
    action's input. A number is larger than `above`, and `most` at most.
    """

    name: str
    help: str
    steps: tuple[str, ...]
    kind: Kind = "text"
    metavar: str | None = None
    multiple: bool = False
    choices: tuple[str, ...] = ()
    only: Literal["cli", "action"] | None = None
    secret: bool = False
    above: int | None = None
    most: int | None = None

    @property
    def parameter(self) -> str:
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        return f"MLOPS_CI_{self.parameter.upper()}"

    @property
    def input_variable(self) -> str:
        """The runner keeps hyphens: INPUT_MAX-DROP."""
        return f"INPUT_{self.name.upper()}"

    def misses(self, value: float) -> str | None:
        """What a number should be and is not; NaN is nothing."""
        if self.above is not None and not value > self.above:
            return f"above {self.above}"
        if self.most is not None and not value <= self.most:
            return f"{self.most} or below"
        return None


STEPS = ("train", "evaluate", "compare", "report", "build", "push", "deploy", "rollback")
PROJECT = (*STEPS, "run", "reproduce", "doctor")
ON_TARGET = ("deploy", "rollback", "run")
COMPARE = ("compare",)

OPTIONS: tuple[Option, ...] = (
    Option(
        "model",
        "Only this model (default: every model of the configuration).",
        (*PROJECT, "store"),
        metavar="NAME",
        multiple=True,
    ),
    Option(
        "folder",
        "The folder that holds mlops-ci.yaml.",
        (*PROJECT, "store"),
        kind="path",
        metavar="DIR",
    ),
    Option(
        "base",
        "Compare with this commit, branch or tag (default: the merge-base with the "
        "default branch).",
        ("train", "evaluate", "compare", "report", "run"),
        metavar="REF",
    ),
    Option("label", "Column with the true label or value.", COMPARE, metavar="COLUMN", only="cli"),
    Option(
        "prediction",
        "Column with the predicted class or value.",
        COMPARE,
        metavar="COLUMN",
        only="cli",
    ),
    Option(
        "score",
        "Column with the score or probability of the positive class.",
        COMPARE,
        metavar="COLUMN",
        only="cli",
    ),
    Option(
        "id",
        "Column that identifies a row (may be given several times).",
        COMPARE,
        metavar="COLUMN",
        multiple=True,
        only="cli",
    ),
    Option(
        "slice",
        "Column to slice by (may be given several times).",
        COMPARE,
        metavar="COLUMN",
        multiple=True,
        only="cli",
    ),
    Option(
        "task",
        "What the predictions are.",
        COMPARE,
        kind="choice",
        choices=("binary", "multiclass", "regression", "classes"),
        only="cli",
    ),
    Option(
        "positive", "The positive class of a binary task.", COMPARE, metavar="CLASS", only="cli"
    ),
    Option(
        "max-drop",
        "A gate: the metric may get worse by at most X against base.",
        COMPARE,
        metavar="METRIC=X",
        multiple=True,
        only="cli",
    ),
    Option(
        "better",
        "What is better of a number whose name does not tell: higher or lower.",
        COMPARE,
        metavar="METRIC=WHICH",
        multiple=True,
        only="cli",
    ),
    Option(
        "min",
        "A gate: the candidate's metric is at least X.",
        COMPARE,
        metavar="METRIC=X",
        multiple=True,
        only="cli",
    ),
    Option(
        "max",
        "A gate: the candidate's metric is at most X.",
        COMPARE,
        metavar="METRIC=X",
        multiple=True,
        only="cli",
    ),
    Option(
        "html",
        "Write the report as one HTML page.",
        ("compare", "report", "run"),
        kind="path",
        metavar="FILE",
    ),
    Option(
        "markdown",
        "Write the report as markdown, as the comment would show it.",
        ("compare", "report", "run"),
        kind="path",
        metavar="FILE",
    ),
    Option(
        "open",
        "Open the report's page in a browser.",
        ("report",),
        kind="flag",
        only="cli",
    ),
    Option(
        "preview",
        "Open the comment in a browser, as GitHub renders it.",
        ("report",),
        kind="flag",
        only="cli",
    ),
    Option(
        "timeout",
        "Seconds that one command of yours may take.",
        ("train", "evaluate", "run"),
        kind="number",
        above=0,
        metavar="SECONDS",
    ),
    Option(
        "target",
        "Where the image runs (default: the configuration's).",
        ON_TARGET,
        kind="choice",
        choices=("docker", "process"),
    ),
    Option(
        "host",
        "The Docker host, as ssh://user@host (default: DOCKER_HOST).",
        ON_TARGET,
        metavar="URL",
    ),
    Option(
        "port",
        "The port that the service listens on.",
        ON_TARGET,
        kind="integer",
        metavar="PORT",
        above=0,
        most=65535,
    ),
    Option(
        "commit",
        "Only what is kept of this commit of main.",
        ("store",),
        metavar="SHA",
        only="cli",
    ),
    Option(
        "record",
        "The evaluate.json to compare with (default: what this clone or the store holds).",
        ("reproduce",),
        kind="path",
        metavar="FILE",
        only="cli",
    ),
    Option(
        "token",
        "The token that posts comments and checks.",
        (*STEPS, "run"),
        only="action",
        secret=True,
    ),
    Option(
        "json",
        "Print the result as one JSON document on standard output.",
        (*PROJECT, "init", "store"),
        kind="flag",
        only="cli",
    ),
)


def options_of(step: str) -> tuple[Option, ...]:
    return tuple(option for option in OPTIONS if step in option.steps)

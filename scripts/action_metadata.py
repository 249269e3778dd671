"""Writes action.yml and actions/<step>/action.yml out of the one table of options.

`python scripts/action_metadata.py` writes them; `--check` says which of them are not as they
should be. https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from mlops_ci import __version__
from mlops_ci.action.inputs import inputs_of
from mlops_ci.action.results import OUTPUTS
from mlops_ci.options import STEPS, Option

ROOT = Path(__file__).resolve().parents[1]
IMAGE = "docker://ghcr.io/mlops-ci/mlops-ci"
SLIM = ("compare", "report")  # no mlflow, dvc or scikit-learn: the image is half the size
TOKEN = "${{ github.token }}"
WRITTEN = "# Written by scripts/action_metadata.py out of mlops_ci/options.py."
DESCRIPTIONS = {
    "": "Trains a pull request's model, compares it with main's on the same rows, posts one "
    "comment with a verdict; ships on merge.",
    "train": "Trains the models, and base's where no stored result of it is found.",
    "evaluate": "Measures the trained models, and base's, on the evaluation rows.",
    "compare": "Compares head with base on the same rows: verdict, checks and job summary.",
    "report": "Posts what the records say: the pull request's comment, checks and job summary.",
    "build": "Builds the image that serves an evaluated model.",
    "push": "Pushes the built image to its registry, by digest.",
    "deploy": "Runs the pushed image behind a port that stays open; keeps the previous version.",
    "rollback": "Puts the previous version of the deployed image back.",
}


def path_of(step: str) -> Path:
    return ROOT / "actions" / step / "action.yml" if step else ROOT / "action.yml"


def metadata(step: str) -> str:
    """The text of one action.yml; the root action's step is empty."""
    stage = "slim" if step in SLIM else "full"
    lines = [
        WRITTEN,
        f"name: mlops-ci {step}".rstrip(),
        f"description: {json.dumps(DESCRIPTIONS[step], ensure_ascii=False)}",
        "author: mlops-ci",
        "branding: {icon: check-circle, color: purple}",
        "",
        "inputs:",
        *(line for option in inputs_of(step) for line in _input(option)),
        "",
        "outputs:",
        *(line for name, said in OUTPUTS.items() for line in _described(name, said)),
        "",
        "runs:",
        "  using: docker",
        f"  image: {IMAGE}:{__version__}-{stage}",
        *([f"  args: [{step}]"] if step else []),
        "  # Closes a check that a crash or a cancelled job left open.",
        "  post-entrypoint: /usr/local/bin/mlops-ci-post",
        "  post-if: always()",
    ]
    return "\n".join(lines) + "\n"


def _input(option: Option) -> Iterator[str]:
    """No other default is written here: it would stand above the configuration file's value."""
    said = option.help
    if option.choices:
        said += f" One of: {', '.join(option.choices)}."
    if option.multiple:
        said = f"{said.replace(' (may be given several times)', '')} Several: one a line."
    yield from _described(option.name, said)
    yield "    required: false"
    if option.name == "token":
        yield f"    default: {TOKEN}"


def _described(name: str, said: str) -> Iterator[str]:
    yield f"  {name}:"
    yield f"    description: {json.dumps(said, ensure_ascii=False)}"


def main(arguments: list[str]) -> int:
    wanted = {path_of(step): metadata(step) for step in ("", *STEPS)}
    wrong = [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]
    if "--check" in arguments:
        for path in wrong:
            print(f"{path.relative_to(ROOT)}: run `python scripts/action_metadata.py`")
        return 1 if wrong else 0
    for path in wrong:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], "utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

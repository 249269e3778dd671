"""What a model needs to be served: read from its folder, nothing of it is opened or run."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlops_ci.errors import UsageError

VERSION = 1  # of the recipe: another one, another dependencies image
RUNTIME = ("httptools>=0.6.4", "msgspec>=0.20", "numpy", "pyyaml>=6.0.2", "uvloop>=0.21")
MLFLOW = {"mlflow", "mlflow-skinny", "mlflow-tracing"}
# Shared libraries that a package needs and its wheel does not bring.
SYSTEM = {"lightgbm": "libgomp1", "xgboost": "libgomp1"}
REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
PYTHON = re.compile(r"3\.(\d+)(?:\.\d+)?")
PYTHONS = range(11, 15)
HOW_TO_SAVE = "save the model in MLflow's format: mlflow.sklearn.save_model(model, 'out/model')"

DOCKERFILE = """\
FROM {base} AS packages
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG UV_DEFAULT_INDEX
ARG UV_INDEX
ARG UV_INDEX_URL
ARG UV_EXTRA_INDEX_URL
RUN python -m venv /uv && /uv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir uv
RUN python -m venv --without-pip /opt/venv
COPY requirements.txt /requirements.txt
RUN /uv/bin/uv pip install --quiet --no-cache --link-mode copy --compile-bytecode \\
    --python /opt/venv/bin/python --requirement /requirements.txt
FROM {base}
{system}COPY --from=packages /opt/venv /opt/venv
"""
SYSTEM_LINE = (
    "RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends {packages} "
    "&& rm -rf /var/lib/apt/lists/*\n"
)


@dataclass(frozen=True)
class Recipe:
    """The dependencies image, before it is built. Equal `key`, equal image."""

    base: str
    requirements: str
    system: tuple[str, ...]
    architecture: str

    @property
    def dockerfile(self) -> str:
        line = SYSTEM_LINE.format(packages=" ".join(self.system)) if self.system else ""
        return DOCKERFILE.format(base=self.base, system=line)

    @property
    def key(self) -> str:
        parts = (str(VERSION), self.dockerfile, self.requirements, self.architecture)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    @property
    def tag(self) -> str:
        return f"dependencies-{self.key}"


def read_recipe(folder: Path, architecture: str) -> Recipe:
    """Raises UsageError for a folder that is not a model in MLflow's format."""
    model = _read_yaml(folder / "MLmodel")
    flavors = model.get("flavors") or {}
    if not {"sklearn", "python_function"} & set(flavors):
        raise UsageError(
            "the model has neither the flavour sklearn nor python_function: it cannot be served",
            where=str(folder / "MLmodel"),
            fix=HOW_TO_SAVE,
        )
    lines = _requirements(folder)
    names = {_name(line) for line in lines}
    if "sklearn" in flavors:  # opened without MLflow, which is larger than all the rest
        lines = [line for line in lines if _name(line) not in MLFLOW]
    if "pandas" not in names and '"name"' in str((model.get("signature") or {}).get("inputs")):
        lines.append("pandas")
    system = tuple(sorted({SYSTEM[name] for name in names if name in SYSTEM}))
    minor = _python(folder, flavors)
    return Recipe(
        base=f"python:3.{minor}-slim-bookworm",
        requirements="".join(f"{line}\n" for line in [*lines, *RUNTIME]),
        system=system,
        architecture=architecture,
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(
            f"{path.name} cannot be read: {error}", where=str(path), fix=HOW_TO_SAVE
        ) from error
    if not isinstance(content, dict):
        raise UsageError(f"{path.name} holds no settings", where=str(path), fix=HOW_TO_SAVE)
    return content


def _requirements(folder: Path) -> list[str]:
    """The lines of requirements.txt that name packages."""
    path = folder / "requirements.txt"
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "the model folder has no requirements.txt: nobody knows what the model needs",
            where=str(path),
            fix=HOW_TO_SAVE,
        ) from error
    kept = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    for line in kept:
        if line.startswith(("-", ".", "/")) or _name(line) == "":
            raise UsageError(
                f"requirements.txt: {line!r} cannot be installed in an image",
                where=str(path),
                fix="name packages and versions only, for example `scikit-learn==1.6.1`",
            )
    return sorted(kept)


def _name(line: str) -> str:
    match = REQUIREMENT.match(line)
    return re.sub(r"[-_.]+", "-", match.group(1)).lower() if match else ""


def _python(folder: Path, flavors: dict[str, Any]) -> int:
    """The minor version of Python 3 that the model was saved with."""
    recorded = (flavors.get("python_function") or {}).get("python_version")
    path = folder / "python_env.yaml"
    if recorded is None and path.is_file():
        recorded = _read_yaml(path).get("python")
    match = PYTHON.fullmatch(str(recorded))
    if not match or int(match.group(1)) not in PYTHONS:
        raise UsageError(
            f"the model was saved with Python {recorded}, for which there is no image",
            where=str(path),
            fix="train with Python 3.11 or newer",
        )
    return int(match.group(1))

"""The first mlops-ci.yaml and workflows of a project, by looking at what is there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from msgspec import Struct

import mlops_ci
from mlops_ci.config import find_config, parse_config
from mlops_ci.config.load import FILE
from mlops_ci.errors import ConfigError
from mlops_ci.records.files import FOLDER, write_atomically

SKIPPED = {".git", ".venv", "venv", "node_modules", "__pycache__", ".dvc", FOLDER, "mlruns"}
MAX_FILES = 20_000
MAX_DEPTH = 4
PREDICTIONS = re.compile(
    r".*pred(ictions?|s)?.*\.(parquet|csv|csv\.gz|jsonl|ndjson)", re.IGNORECASE
)
METRICS = re.compile(r"(.*[-_])?(metrics?|scores?)\.(json|yaml|yml|toml)", re.IGNORECASE)
TRAIN = re.compile(r"train(_model|ing)?\.py", re.IGNORECASE)
PATH_IN_TEXT = re.compile(r"""["']([\w./-]{1,200})["']""")
MAX_SCRIPT = 1_000_000  # bytes that are looked at
WORKFLOWS = {"pull-request.yml": "mlops-ci.yml", "merge.yml": "mlops-ci-merge.yml"}
OWN_TRAINING = "pull-request-own-training.yml"


class Written(Struct, frozen=True, kw_only=True):
    path: str
    written: bool
    note: str = ""


@dataclass(frozen=True)
class Seen:
    """What the project's folder holds, as relative paths."""

    train: str | None
    predictions: str | None
    metrics: str | None
    model: str | None
    data: str | None
    dvc: bool


def write_first_files(folder: Path, top: Path) -> list[Written]:
    """Configuration at `folder`, workflows below the repository's `top`."""
    seen = look(folder)
    return [_write_config(folder, seen), *_write_workflows(top, seen)]


def look(folder: Path) -> Seen:
    """What lies there, and what the training script says that it will write."""
    files = list(_files(folder))
    train = _first(files, TRAIN)
    named = list(_named_in(folder / train)) if train is not None else []
    return Seen(
        train=train,
        predictions=_first(files, PREDICTIONS) or _first(named, PREDICTIONS),
        metrics=_first(files, METRICS) or _first(named, METRICS),
        model=next(
            (str(Path(path).parent) for path in files if Path(path).name == "MLmodel"), None
        ),
        data=next((f"{name}/" for name in ("data", "datasets") if (folder / name).is_dir()), None),
        dvc=(folder / "dvc.yaml").is_file(),
    )


def _files(folder: Path) -> Iterator[str]:
    """Nearest first, bounded."""
    count = 0
    for place, folders, names in os.walk(folder):
        inside = Path(place).relative_to(folder)
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        if len(inside.parts) >= MAX_DEPTH:
            folders.clear()
        for name in sorted(names):
            count += 1
            if count > MAX_FILES:
                return
            yield (inside / name).as_posix()


def _first(files: list[str], pattern: re.Pattern[str]) -> str | None:
    found = [path for path in files if pattern.fullmatch(Path(path).name)]
    return min(found, key=lambda path: (path.count("/"), path), default=None)


def _named_in(script: Path) -> Iterator[str]:
    """Relative paths that stand whole in the script's text; it is not run."""
    text = script.read_bytes()[:MAX_SCRIPT].decode("utf-8", "replace")
    for path in PATH_IN_TEXT.findall(text):
        parts = PurePosixPath(path).parts
        if not path.startswith("/") and ".." not in parts:
            yield PurePosixPath(path).as_posix()


def _write_config(folder: Path, seen: Seen) -> Written:
    existing = find_config(folder)
    if existing is not None and existing.name != "dvc.yaml":
        return Written(path=existing.name, written=False, note="(it is there already)")
    if existing is not None:
        try:
            parse_config(existing.read_text("utf-8"), existing.name)
        except ConfigError:
            pass  # it declares nothing to compare; a file of ours has to say it
        else:
            note = "(it is enough; add mlops-ci.yaml for gates)"
            return Written(path="dvc.yaml", written=False, note=note)
    text = config_text(folder.resolve().name, seen)
    parse_config(text)
    write_atomically(folder / FILE, text.encode())
    return Written(path=FILE, written=True)


def config_text(project: str, seen: Seen) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", project).strip("-.")[:64] or "model"
    lines = ["models:", f"  {name}:"]
    if seen.dvc:
        lines.append(
            "    dvc: []                # the stages of dvc.yaml to run; none: all of them"
        )
    elif seen.train:
        lines.append(f"    train: python {_quoted(seen.train)}")
    else:
        lines.append("    # train: python train.py   # leave it out when an earlier step trains")
    if seen.data and not seen.dvc:
        lines.append(f"    data: [{_quoted(seen.data)}]          # files that training reads")
    predictions = seen.predictions or (None if seen.metrics else "out/predictions.parquet")
    if predictions:
        lines.append(f"    predictions: {_quoted(predictions)}")
    else:
        lines.append("    # predictions: out/predictions.parquet   # one row per evaluated row")
    if seen.metrics:
        lines.append(f"    metrics: {_quoted(seen.metrics)}")
    if seen.model:
        lines.append(f"    model: {_quoted(seen.model)}")
    lines += [
        "    # slices: [region]",
        "    # gates:                # what a pull request promises, against main",
        "    #   roc_auc: {max-drop: 0.01}",
        "    #   recall: [{min: 0.60}, {max-drop: 0.02, slice: region=*}]",
    ]
    return "\n".join(lines) + "\n"


def _quoted(path: str) -> str:
    return path if re.fullmatch(r"[A-Za-z0-9_./-]+", path) else "'" + path.replace("'", "''") + "'"


def _write_workflows(top: Path, seen: Seen) -> Iterator[Written]:
    source = _templates()
    trains = seen.train is not None or seen.dvc
    for template, target in WORKFLOWS.items():
        name = template if trains or template != "pull-request.yml" else OWN_TRAINING
        place = top / ".github" / "workflows" / target
        shown = place.relative_to(top).as_posix()
        if place.exists():
            yield Written(path=shown, written=False, note="(it is there already)")
            continue
        write_atomically(place, (source / name).read_bytes())
        yield Written(path=shown, written=True)


def _templates() -> Path:
    """Inside the installed package, else beside it in a checkout."""
    package = Path(mlops_ci.__file__).parent
    inside = package / "workflows-templates"
    return inside if inside.is_dir() else package.parent / "workflows-templates"

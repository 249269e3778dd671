"""A run's folder in MLflow's file store: `mlruns/<experiment>/<run>`.

`metrics/<name>` holds lines of timestamp, value, step (and, since MLflow 3, of the data set).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mlops_ci.data.foreign.declaration import Foreign, Named
from mlops_ci.errors import ComparisonError

META, METRICS = "meta.yaml", "metrics"
TABLE = Path("artifacts", "eval_results_table.json")
MAX_META = 64 * 1024


def recognise(folder: Path) -> str | None:
    meta = folder / META
    if not meta.is_file() or not (folder / METRICS).is_dir():
        return None
    with meta.open(encoding="utf-8", errors="replace") as file:
        named = any(
            line.startswith(("run_id:", "run_uuid:")) for line in file.read(MAX_META).splitlines()
        )
    return f"its {META} and its folder `{METRICS}`" if named else None


def numbers(folder: Path) -> Iterator[Named]:
    """The last value of every metric: that of the highest step, and of the latest time in it."""
    top = folder / METRICS
    for place, _, files in sorted(os.walk(top, onerror=_fail)):
        for name in sorted(files):
            path = Path(place) / name
            if not path.is_symlink():
                yield path.relative_to(top).as_posix(), _last(path)


def _fail(error: OSError) -> None:
    raise ComparisonError(
        f"a folder of the run cannot be read: {error.strerror}", where=str(error.filename)
    ) from error


def _last(path: Path) -> float:
    """Raises ComparisonError for a file that is empty or not of this form."""
    best: tuple[int, int, float] | None = None
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            found = _read(line, path)
            best = found if best is None or found[:2] >= best[:2] else best
    if best is None:
        raise ComparisonError(f"the metric {path.name!r} has no value", where=str(path))
    return best[2]


def _read(line: str, path: Path) -> tuple[int, int, float]:
    """(step, time, value)."""
    cells = line.split()
    try:
        step = int(cells[2]) if len(cells) > 2 else 0
        return step, int(cells[0]), float(cells[1])
    except (IndexError, ValueError) as error:
        raise ComparisonError(
            f"the metric {path.name!r} has a line that is no `time value step`: {line[:40]!r}",
            where=str(path),
            fix="is the run's folder complete? Copy it again, or compare metrics files",
        ) from error


def table_of(folder: Path) -> Path | None:
    """The rows that `mlflow.evaluate` left, where it did."""
    path = folder / TABLE
    return path if path.is_file() else None


MLFLOW_RUN = Foreign("run of MLflow", "folder", recognise, numbers=numbers)

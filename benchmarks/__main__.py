"""`python -m benchmarks [--list] [--quick] [NAME ...]`: ours beside the peer, in one run."""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figure import Figure

NAMES = {
    "help": "mlops-ci --help against mlflow --help and dvc --help",
    "compare": "two files of 10,000 rows to a report of 20 metrics and more, whole process",
    "metrics": "200 metrics from two JSON files to a diff, against dvc metrics diff",
    "intervals": "paired intervals of AUC, confusion metrics, log loss and Brier, 1e6 and 1e7 rows",
    "evaluate": "a model evaluated on 1e6 rows in memory, against mlflow evaluate",
    "rows": "two Parquet files of 1e6 and 1e8 rows to verdict and report, whole process",
    "drift": "drift of 20 columns of 1e6 rows a side, against Evidently's preset",
    "coverage": "95 % intervals on simulated repositories: misses, and what becomes of bad models",
    "comment": "end of training to the comment with four plots, against a script around mlflow",
    "report": "500 metrics in 40 slices, in process: comment and page, then with six plots",
    "push": "a new model to the registry, requirements unchanged, against docker build and push",
    "serve": "one row to /invocations, against mlflow models serve",
}
QUIET = 1.0
RESULTS = Path(__file__).with_name("results.md")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to run (default: all)")
    parser.add_argument("--list", action="store_true", help="name them and stop")
    parser.add_argument("--quick", action="store_true", help="fewer samples, where there are any")
    arguments = parser.parse_args()
    if arguments.list:
        for name, what in NAMES.items():
            print(f"{name:10} {what}")
        return 0
    unknown = [name for name in arguments.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; see --list")
    figures = [_run(name, quick=arguments.quick) for name in arguments.names or NAMES]
    if not arguments.names:
        RESULTS.write_text(_page(figures), "utf-8")
    return 0 if all(figure.holds for figure in figures) else 1


def _run(name: str, *, quick: bool) -> Figure:
    print(f"== {name}: {NAMES[name]}", flush=True)
    run = importlib.import_module(f"benchmarks.{name}").run
    sampled = "quick" in inspect.signature(run).parameters
    figure: Figure = run(quick=quick) if sampled else run()
    print(figure.line(), flush=True)
    return figure


def _page(figures: list[Figure]) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    machine = f"{os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}"
    head = f"""# Benchmarks

`python -m benchmarks` makes this page. Last full run: {datetime.now(UTC):%Y-%m-%d}, {machine},
load {load:.1f} at its end. Above {QUIET}, other programs shared the cores: the ratios hold, because
ours and the peer ran in turn; the absolute times are too long. Medians of five runs after one that
is not counted; peers have environments of their own, at the versions in `benchmarks/process.py`.

| benchmark | ours | peer | ratio | goal | holds |
|---|--:|--:|--:|---|---|
"""
    return head + "".join(figure.row(NAMES[figure.name]) for figure in figures)


if __name__ == "__main__":
    sys.exit(main())

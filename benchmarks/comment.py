"""From the end of training to the comment with its four plots, in the action's real job.

The base comes from the store, as after any merge; 10,000 rows, slices, gates. The peer is the
script that teams write for this: mlflow's evaluator on both tables, a table in Markdown, one POST.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.figure import Figure, print_table
from benchmarks.jobs import Runner, WatchedGitHub
from benchmarks.process import MLFLOW, peer_environment
from tests.github_server.scenario import Scenario, Story, build

GOAL_SECONDS = 2.0
ROUNDS = 5
PLOTS = 4  # of the six that are drawn
PEER = Path(__file__).parent / "peers" / "mlflow_comment.py"
CONFIG = """\
tracking-uri: none
models:
  churn:
    train: python3 train.py
    predictions: predictions.csv
    slices: [region]
    gates:
      roc_auc: {max-drop: 0.02}
      accuracy: [{min: 0.5}, {max-drop: 0.02}]
      recall: {max-drop: 0.2, slice: region=*}
"""
TRAIN = """\
import csv, math, random, time
draw, noise = random.Random(0), random.Random(SEED)
with open("predictions.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "label", "prediction", "score", "region"])
    for row in range(10_000):
        label = int(draw.random() < 0.3)
        seen = draw.gauss(0, 1) + label + QUALITY * noise.gauss(0, 1)
        score = 1 / (1 + math.exp(0.5 - seen))
        region = draw.choice(["north", "south", "west"])
        writer.writerow([row, label, int(score > 0.5), round(score, 6), region])
with open("clock", "w") as file:
    file.write(str(time.time()))
"""


class Round(NamedTuple):
    ours: float
    peer: float


def run() -> Figure:
    python = peer_environment("mlflow", *MLFLOW) / "python"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # under root the training runs as somebody else
        scenario = build(folder / "github", _story())
        github = WatchedGitHub(scenario.root / "repositories", scenario.seed)
        github.start()
        try:
            rounds = _measure(Runner(github, scenario, folder), github, python)
        finally:
            github.stop()
    ours, peer = (statistics.median(times) for times in zip(*rounds[1:], strict=True))
    print_table(
        [
            ("from training's end to the comment", "median, s", "all, s"),
            ("mlops-ci action, four plots", f"{ours:.2f}", _listed(r.ours for r in rounds[1:])),
            ("mlflow evaluate ×2, one POST", f"{peer:.2f}", _listed(r.peer for r in rounds[1:])),
        ]
    )
    return Figure(
        name="comment",
        ours=ours,
        peer=peer,
        peer_name="mlflow evaluate ×2 and a POST",
        unit="s",
        goal=f"≤ {GOAL_SECONDS} s",
        holds=ours <= GOAL_SECONDS,
    )


def _listed(times: object) -> str:
    return " ".join(f"{seconds:.2f}" for seconds in times)  # type: ignore[attr-defined]


def _story() -> Story:
    files = {
        "mlops-ci.yaml": CONFIG,
        "train.py": _train(0, 1.0),
        ".gitignore": "/predictions.csv\n/clock\n",
    }
    return Story(main=(files,), change=({"train.py": _train(1, 0.9)},))


def _train(seed: int, quality: float) -> str:
    return f"SEED, QUALITY = {seed}, {quality}\n{TRAIN}"


def _measure(runner: Runner, github: WatchedGitHub, python: Path) -> list[Round]:
    """Main first, so that its predictions are in the store; then a new commit a round."""
    scenario, events = runner.scenario, runner.scenario.events(github)
    runner.run("push", events.push("0" * 40, scenario.base), scenario.base)
    base = runner.folder / "job-1" / "workspace" / "predictions.csv"
    rounds = []
    for seed in range(1, ROUNDS + 2):
        if seed > 1:
            head = scenario.checkout.commit({"train.py": _train(seed, 0.9)})
            scenario.checkout.push("feature")
        else:
            head = scenario.head
        payload = events.pull_request(scenario.number)
        runner.run("pull_request", payload, head)
        workspace = runner.folder / f"job-{runner.jobs}" / "workspace"
        ours = github.commented_at - float((workspace / "clock").read_text())
        _hold(github, scenario, head)
        address = f"{github.url}/repos/{scenario.full_name}/issues/{scenario.number}/comments"
        started = time.time()
        subprocess.run(
            [python, PEER, base, workspace / "predictions.csv", address, "pat-maintainer"],
            check=True,
            capture_output=True,
        )
        rounds.append(Round(ours, github.commented_at - started))
    return rounds


def _hold(github: WatchedGitHub, scenario: Scenario, head: str) -> None:
    """The comment is there, about this commit, against main, with its pictures: else no figure."""
    comments = github.state.repository(scenario.full_name).comments.values()
    (body,) = [found["body"] for found in comments if found["author"] == "github-actions[bot]"]
    pictures = len(re.findall(r"<picture>", body))
    if head[:7] not in body or pictures != PLOTS:
        raise RuntimeError(f"{pictures} plots, {PLOTS} expected, in the comment:\n{body}")

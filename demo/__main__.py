"""`make demo`: a team's day with mlops-ci, on real data, in a real Git repository."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from demo.outcomes import hold_first, hold_judged
from demo.place import Place, end_service, find_place, take
from demo.repository import Repository
from demo.shipping import predict, ship
from demo.story import PULL_REQUESTS, PullRequest
from demo.terminal import chapter, say

DEFAULT = Path("demo-out")
SERVICE = "mlops-ci-demo"


def main() -> int:
    arguments = _parser().parse_args()
    lock = take(arguments.service)
    end_service(arguments.service)
    if arguments.end:
        return 0
    started = time.monotonic()
    chapter("Where the model will run")
    place = find_place(arguments.target, arguments.service)
    repository = Repository.create(arguments.out.resolve(), place.settings, lock)
    say(f"{place.kind}, port {place.port}; the repository: {repository.work}")
    play(repository, place)
    chapter(f"Done in {time.monotonic() - started:.0f} s. Where to look")
    for line in where_to_look(repository, place):
        say(line)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT, help="the folder to play in")
    parser.add_argument(
        "--target", choices=["docker", "process"], help="default: docker if it runs"
    )
    parser.add_argument("--service", default=SERVICE, help="the name that the model runs under")
    parser.add_argument("--end", action="store_true", help="end what a demo left running, and stop")
    return parser


def play(repository: Repository, place: Place) -> None:
    """Raises SystemExit where something else comes out than must: the demo is a test."""
    chapter("A model on main, shipped")
    if repository.run("main"):
        sys.exit("the first run on main must be fine: there is nothing to compare with")
    hold_first(repository)
    first = ship(repository, place)
    for pull_request in PULL_REQUESTS:
        chapter(f"Pull request: {pull_request.title}")
        hold_judged(repository, pull_request, repository.open(pull_request))
    better: PullRequest = PULL_REQUESTS[0]
    chapter("Merge the better one, and ship it")
    repository.merge(better.branch)
    hold_judged(repository, better, repository.run("merged", "--base", "HEAD^1"))
    deployed = ship(repository, place)
    if deployed.previous != first.reference:
        sys.exit(f"{deployed.previous} would be put back, not {first.reference}")
    predict(deployed)


def where_to_look(repository: Repository, place: Place) -> list[str]:
    reports = [f"{p.verdict:13} {repository.reports / p.branch}.html" for p in PULL_REQUESTS]
    return [
        *reports,
        f"live          http://127.0.0.1:{place.port}",
        *place.where_to_look(),
        f"records       {repository.work}/.mlops-ci/",
        f"put it back   (cd {repository.work} && {_bin()}/mlops-ci rollback)",
        f"end it        {_bin()}/python -m demo --end",
    ]


def _bin() -> Path:
    return Path(sys.executable).parent


if __name__ == "__main__":
    sys.exit(main())

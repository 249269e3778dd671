"""`make demo`: a team's day with mlops-ci, on real data, in a real Git repository."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from demo.repository import Repository
from demo.shipping import ship
from demo.story import PULL_REQUESTS, PullRequest
from demo.terminal import chapter, say
from mlops_ci.records import Comparison, read_record

DEFAULT = Path("demo-out")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT, help="the folder to play in")
    parser.add_argument(
        "--target", choices=["docker", "process"], help="default: docker if it runs"
    )
    arguments = parser.parse_args()
    started = time.monotonic()
    repository = Repository.create(arguments.out.resolve())
    chapter(f"A model on main: {repository.work}")
    repository.run_first()
    for pull_request in PULL_REQUESTS:
        play(repository, pull_request)
    chapter("Merge the better one, and ship it")
    repository.merge(PULL_REQUESTS[0].branch)
    where = ship(repository, arguments.target)
    chapter(f"Done in {time.monotonic() - started:.0f} s. Where to look")
    for pull_request in PULL_REQUESTS:
        say(f"{pull_request.verdict:13} {repository.report_of(pull_request.branch)}.html")
    for line in where:
        say(line)
    return 0


def play(repository: Repository, pull_request: PullRequest) -> None:
    """Open it, run what its workflow would, and hold the record against what must come out.

    Raises SystemExit when the product says something else: the demo is a test.
    """
    chapter(f"Pull request: {pull_request.title}")
    code = repository.open(pull_request)
    record = read_record(repository.record_of("compare"), Comparison)
    if (record.verdict, code) != (pull_request.verdict, pull_request.exit_code):
        sys.exit(
            f"expected {pull_request.verdict} and exit code {pull_request.exit_code}, "
            f"got {record.verdict} and {code}"
        )


if __name__ == "__main__":
    sys.exit(main())

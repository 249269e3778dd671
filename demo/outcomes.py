"""What must have come out, read from the records: the demo is a test of the product."""

from __future__ import annotations

import sys

from demo.place import Place
from demo.repository import Repository
from demo.story import ROWS, PullRequest
from mlops_ci.records import Build, Comparison, Deployment, Evaluation, Push


def hold(what: str, expected: object, found: object) -> None:
    """Raises SystemExit when they differ."""
    if expected != found:
        sys.exit(f"the demo failed: {what} should be {expected}, the record says {found}")


def hold_first(repository: Repository) -> None:
    record = repository.record("compare", Comparison)
    hold("the first run's baseline", None, record.base)
    hold("the rows of the first run", ROWS, record.rows.head)


def hold_judged(repository: Repository, pull_request: PullRequest, code: int) -> None:
    """The verdict, the gate that made it, and the same rows on both sides."""
    record = repository.record("compare", Comparison)
    hold(f"the verdict of {pull_request.branch}", pull_request.verdict, record.verdict)
    hold(f"the exit code of {pull_request.branch}", pull_request.exit_code, code)
    rows = record.rows
    hold("the rows on both sides", (ROWS, ROWS, ROWS), (rows.base, rows.head, rows.paired))
    hold("what pairs the rows", "id", rows.paired_by)
    undone = [(g.metric, g.slice, g.kind) for g in record.gates if g.verdict != "pass"]
    wanted = [] if pull_request.decided_by is None else [pull_request.decided_by]
    hold("the gates that did not pass", wanted, undone)


def hold_shipped(repository: Repository, place: Place) -> Deployment:
    """What is live is what was evaluated at this commit, and under Docker what was pushed."""
    evaluated = repository.record("evaluate", Evaluation).artifact
    if evaluated is None:
        sys.exit("the demo failed: the evaluation has no model")
    deployed = repository.record("deploy", Deployment)
    hold("the deployment", "live", deployed.status)
    hold("where it is deployed", (place.kind, place.port), (deployed.target, _port(deployed)))
    if place.kind == "docker":
        built, pushed = repository.record("build", Build), repository.record("push", Push)
        hold("the model in the image", evaluated.digest, built.model_digest)
        hold("the pushed digest", built.digest, pushed.digest)
        hold("the deployed image", pushed.reference, deployed.reference)
    else:
        hold("the deployed model", evaluated.digest, deployed.reference.rpartition("@")[2])
    return deployed


def _port(deployed: Deployment) -> int | None:
    return int(deployed.url.rpartition(":")[2]) if deployed.url else None

"""Build, push, deploy, and ask the running model for predictions."""

from __future__ import annotations

import json
import sys
import urllib.request
from typing import Any

from demo.outcomes import hold, hold_shipped
from demo.place import Place
from demo.repository import MODEL, Repository
from demo.terminal import say, show_command
from mlops_ci.records import Deployment, Evaluation

ASKED = [0, 2, 4, 5, 7, 9]  # rows of scikit-learn's digits, which begin with 0 … 9


def ship(repository: Repository, place: Place) -> Deployment:
    """Raises SystemExit when a step fails, or what is live is not what was evaluated."""
    for step in ("build", "push", "deploy") if place.kind == "docker" else ("deploy",):
        if code := repository.mlops_ci(step):
            sys.exit(f"mlops-ci {step} ended with exit code {code}")
    deployed = hold_shipped(repository, place)
    evaluated = repository.record("evaluate", Evaluation).artifact
    assert evaluated is not None
    said = _ask(f"{deployed.url}/v2/models/{MODEL}")["parameters"]["digest"]
    hold("the model that answers at the port", evaluated.digest, said)
    return deployed


def predict(deployed: Deployment) -> None:
    """Raises SystemExit when an answer is wrong: the forest knows these rows."""
    from sklearn.datasets import load_digits

    pixels, digit = load_digits(return_X_y=True)
    address = f"{deployed.url}/invocations"
    show_command(["curl", "-H", "content-type: application/json", "-d", "@six.json", address])
    predictions = _ask(address, {"instances": pixels[ASKED].tolist()})["predictions"]
    say(f"digits {digit[ASKED].tolist()}, 5 or more? {predictions}")
    hold("the predictions", (digit[ASKED] >= 5).astype(int).tolist(), predictions)


def _ask(address: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(
        address,
        None if body is None else json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)

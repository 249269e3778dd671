"""The server as a process of its own, as `act`'s containers meet it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import requests

from tests.github_server.scenario import Scenario, build
from tests.waiting import PATIENCE

REPOSITORY = Path(__file__).resolve().parents[3]


def test_it_starts_from_a_seed_file_and_ends_on_sigterm(tmp_path: Path) -> None:
    scenario: Scenario = build(tmp_path)
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(scenario.seed), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "tests.github_server",
        "--root",
        str(tmp_path / "repositories"),
    ]
    with subprocess.Popen(
        [*command, "--seed", str(seed)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        headers = {"Authorization": "Bearer workflow-token"}
        pull = requests.get(
            f"{url}/api/v3/repos/acme/churn/pulls/7", headers=headers, timeout=PATIENCE
        )
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert pull.json()["head"]["sha"] == scenario.head
    # Links stay under the address that the client used.
    assert pull.json()["url"] == f"{url}/api/v3/repos/acme/churn/pulls/7"
    assert pull.json()["html_url"] == f"{url}/acme/churn/pull/7"

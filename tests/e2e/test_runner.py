"""The runner of these tests itself: a workflow of the test's own, through a container action."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.runner import TOKEN, Event, Machine, permissions_of, run_workflow
from tests.e2e.story import merge_commit
from tests.github_server.scenario import Scenario

WORKFLOW = """
on: pull_request
permissions: {}
jobs:
  model:
    runs-on: ubuntu-latest
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with:
          ref: ${{ github.event.pull_request.head.sha || github.sha }}
          fetch-depth: 0
          persist-credentials: false
      - run: |
          stat --format %u .
          git rev-parse HEAD refs/remotes/origin/main
          git config --get-regexp 'http.*' || echo no credentials
          echo "told=$GITHUB_REPOSITORY" >> "$GITHUB_OUTPUT"
          echo '## told' >> "$GITHUB_STEP_SUMMARY"
"""


def test_a_job_sees_the_head_with_history_and_no_credentials(
    machine: Machine, scenario: Scenario, tmp_path: Path
) -> None:
    template = tmp_path / "workflow.yml"
    template.write_text(WORKFLOW)
    job_token = {
        "kind": "workflow",
        "repository": "acme/churn",
        "permissions": permissions_of(template),
    }
    scenario.seed["tokens"][TOKEN] = job_token
    github = scenario.start()
    try:
        payload = scenario.events(github).pull_request(scenario.number)
        merge = merge_commit(github, scenario)
        event = Event("pull_request", payload, merge, "refs/pull/7/merge")
        ran = run_workflow(machine, github, template, event, tmp_path / "run")
    finally:
        github.stop()
    assert ran.code == 0, ran.log
    assert merge not in {scenario.head, scenario.base}
    assert f"1001\n{scenario.head}\n{scenario.base}\nno credentials" in ran.log
    assert ran.outputs() == {"told": "acme/churn"}
    assert ran.summary() == "## told\n"
    assert not github.violations

"""A data contract from the pull request to the verdict: Git, files and pandera as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_ci.plan import Context, Occasion, Outcomes, execute, plan_project, store_of
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.records.findings import ContractResult
from tests.integration.repositories import Repository, make_repository

CONFIG = """
tracking-uri: none
store: {{backend: folder, path: ../store}}
models:
  m:
    {train}
    predictions: predictions.csv
    task: binary
    gates: {{accuracy: {{max-drop: 0.05}}}}
    contract:
      - columns: {{prediction: {{values: [0, 1]}}}}
        rows: {{max-change: 0.2}}
      - file: data.csv
        columns: {{age: {{min: 0, max: 120, max-null: {nulls}}}}}
        rows: {{max-change: 0.2}}
        schema: {schema}
"""
SCHEMA = """
import pandera.pandas as pa

class Schema(pa.DataFrameModel):
    age: int = pa.Field(ge=0)
    plan: str = pa.Field(isin=["basic", "pro"])
"""
# As pandera writes it: `DataFrameSchema({"age": Column(int, Check.le(70))}).to_yaml()`.
WRITTEN = """
schema_type: dataframe
api: pandas
columns:
  age:
    dtype: int64
    less_than_or_equal_to: 70
"""
TRAIN = """
import csv
rows = list(csv.DictReader(open("data.csv")))
with open("predictions.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "label", "prediction"])
    writer.writerows([row["id"], i % 2, i % 2 if i % 5 else 1] for i, row in enumerate(rows[:150]))
"""


def config(
    nulls: str = "0.1", schema: str = "schema.py:Schema", train: str = "train: python train.py"
) -> str:
    return CONFIG.format(nulls=nulls, schema=schema, train=train)


def data(rows: int = 200, *, odd: str = "") -> str:
    lines = [f"{i},{20 + i % 60},{'pro' if i % 3 else 'basic'}" for i in range(rows)]
    return (
        "\n".join(["id,age,plan", *lines[: len(lines) - bool(odd)], *([odd] if odd else [])]) + "\n"
    )


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    files = {"mlops-ci.yaml": config(), "train.py": TRAIN, "data.csv": data(), "schema.py": SCHEMA}
    repo.commit({**files, ".gitignore": "/predictions.csv\n__pycache__\n"}, "adopt")
    repo.push()
    repo.branch("feature")
    return repo


def run(repo: Repository) -> ModelOutcome:
    project = repo.project()
    plan = plan_project(project, Occasion())
    outcomes: Outcomes = execute(plan, Context(project, store=store_of(project), timeout=120))
    (outcome,) = outcomes.models
    assert outcome.error is None, outcome.error
    return outcome


def terms(outcome: ModelOutcome) -> dict[str, ContractResult]:
    assert outcome.comparison is not None
    return {f"{t.file} {t.kind} {t.source}": t for t in outcome.comparison.contract}


def test_a_contract_that_is_kept_lets_through(repo: Repository) -> None:
    repo.commit({"data.csv": data(190)})
    outcome = run(repo)
    found = terms(outcome)
    assert outcome.comparison is not None
    assert (outcome.comparison.verdict, outcome.exit_code) == ("pass", 0)
    assert {term.verdict for term in found.values()} == {"pass"}
    change = found["data.csv rows-max-change both"]
    assert (change.base_rows, change.rows) == (200, 190)
    assert change.value == pytest.approx(-0.05)
    assert found["predictions.csv rows-max-change both"].base_rows == 150
    recorded = json.loads(
        repo.project()
        .records.file("m", outcome.comparison.head.commit or "", "compare")
        .read_text()
    )
    assert len(recorded["contract"]) == 7
    assert not list(repo.folder.glob(".mlops-ci/m/*/schema")), "nothing of the question is left"


def test_a_pull_request_cannot_loosen_the_contract_that_it_breaks(repo: Repository) -> None:
    looser = SCHEMA.replace('"pro"]', '"pro", "gold"]')
    repo.commit(
        {"data.csv": data(odd="199,-3,gold"), "mlops-ci.yaml": config("0.9").replace("min: 0", "min: -9"),
         "schema.py": looser}
    )  # fmt: skip
    outcome = run(repo)
    found = terms(outcome)
    assert outcome.comparison is not None
    assert (outcome.comparison.verdict, outcome.exit_code) == ("fail", 1)
    assert found["data.csv min base"].verdict == "fail"
    assert found["data.csv min base"].found == ("-3",)
    assert found["data.csv min head"].verdict == "pass"
    schemas = found["data.csv schema base"], found["data.csv schema head"]
    assert schemas[0].found == (
        "age: greater_than_or_equal_to(0) (1×)",
        "plan: isin(['basic', 'pro']) (1×)",
    )
    assert schemas[1].found == ("age: greater_than_or_equal_to(0) (1×)",), "head's own says less"
    assert any("looser: base's holds" in change for change in outcome.comparison.changes)
    assert all(gate.verdict == "pass" for gate in outcome.comparison.gates)


def test_a_schema_that_cannot_be_asked_stops_the_change(repo: Repository) -> None:
    broken = SCHEMA.replace(
        "import pandera",
        "raise RuntimeError('MLOPS' + str(len(__import__('os').environ.get('MLOPS_CI_TOKEN', ''))))\nimport pandera",
    )
    repo.environ["MLOPS_CI_TOKEN"] = "secret"
    repo.commit({"schema.py": broken})
    outcome = run(repo)
    found = terms(outcome)
    assert found["data.csv schema base"].verdict == "pass"
    assert found["data.csv schema head"].note == "RuntimeError: MLOPS0", "our keys are not there"
    assert outcome.comparison is not None
    assert (outcome.comparison.verdict, outcome.exit_code) == ("inconclusive", 1)


def test_pandera_as_yaml(repo: Repository) -> None:
    repo.commit({"mlops-ci.yaml": config(schema="schema.yaml"), "schema.yaml": WRITTEN})
    found = terms(run(repo))
    assert found["data.csv schema head"].verdict == "fail"
    assert found["data.csv schema head"].found[0].startswith("age: less_than_or_equal_to(70)")
    assert found["data.csv schema base"].verdict == "pass", "base's own still judges"


def test_a_file_that_is_gone_is_no_pass(repo: Repository) -> None:
    repo.commit({"mlops-ci.yaml": config(train="train: python train.py && rm data.csv")})
    outcome = run(repo)
    assert {term.reason for term in terms(outcome).values() if term.file == "data.csv"} == {
        "missing-file"
    }
    assert outcome.exit_code == 1
    assert outcome.comparison is not None
    assert outcome.comparison.verdict == "inconclusive"


def test_a_first_run_waits_for_a_base_and_judges_the_rest(tmp_path: Path) -> None:
    repo = make_repository(tmp_path)
    files = {
        "mlops-ci.yaml": config(),
        "train.py": TRAIN,
        "data.csv": data(odd="199,500,pro"),
        "schema.py": SCHEMA,
    }
    repo.commit({**files, ".gitignore": "/predictions.csv\n__pycache__\n"}, "adopt")
    outcome = run(repo)
    assert outcome.comparison is not None
    assert outcome.comparison.base is None
    assert outcome.comparison.waiting == 3, "a gate on a change, and the rows of two files"
    assert [t.kind for t in outcome.comparison.contract if t.verdict == "fail"] == ["max"]
    assert outcome.exit_code == 1


def test_a_contract_that_is_new_counts_bases_rows_in_git(repo: Repository) -> None:
    old = config().split("    contract:")[0]
    repo.git("checkout", "--quiet", "main")
    repo.commit({"mlops-ci.yaml": old}, "without a contract")
    repo.push()
    repo.branch("adopting")
    repo.commit({"mlops-ci.yaml": config(), "data.csv": data(150)}, "with one")
    found = terms(run(repo))
    assert found["data.csv rows-max-change head"].base_rows == 200
    assert found["data.csv rows-max-change head"].verdict == "fail"

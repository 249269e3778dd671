from __future__ import annotations

import msgspec
import pytest

from mlops_ci.baseline.commit import Asked, Base
from mlops_ci.config import Config, parse_config
from mlops_ci.plan.choice import JUDGE, SHIP, Change, Occasion, make_plan

TEXT = """
models:
  churn:
    train: python churn/train.py
    code: [churn, shared]
    data: [data/churn]
    predictions: churn/out/predictions.csv
    image: localhost/churn
    deploy: {port: 1234}
  fraud:
    train: python fraud/train.py
    code: [fraud, shared]
    predictions: fraud/out/predictions.csv
"""
CONFIG = parse_config(TEXT)
BASE = Base("b" * 40, "main")


def steps(
    occasion: Occasion, files: list[str] | None, before: Config | None = CONFIG
) -> dict[str, tuple[str, ...]]:
    plan = make_plan(CONFIG, occasion, BASE, Change(files, before))
    return {model.name: model.steps for model in plan.models}


PULL = Occasion(Asked("pull_request"))


@pytest.mark.parametrize(
    ("files", "touched"),
    [
        (["churn/train.py"], {"churn"}),
        (["shared/features.py"], {"churn", "fraud"}),
        (["README.md", "docs/a.py", ".github/workflows/x.yml"], set()),
        (["data/churn/rows.csv"], {"churn"}),
        (["data/churn.dvc"], {"churn"}),
        (["params.yaml"], {"churn", "fraud"}),
        (["requirements.txt"], {"churn", "fraud"}),
        (["churn/out/predictions.csv"], set()),
        ([], set()),
    ],
)
def test_a_pull_request_runs_what_it_touches(files: list[str], touched: set[str]) -> None:
    found = steps(PULL, files)
    assert {name for name, todo in found.items() if todo} == touched
    assert all(todo in ((), JUDGE) for todo in found.values())


def test_unknown_changes_touch_everything() -> None:
    assert all(steps(PULL, None).values())


def test_a_changed_setting_touches_its_model_alone() -> None:
    fraud = msgspec.structs.replace(CONFIG.models["fraud"], min_rows=99)
    before = Config(models={**CONFIG.models, "fraud": fraud})
    assert [name for name, todo in steps(PULL, [], before).items() if todo] == ["fraud"]


def test_a_push_ships_what_has_an_image() -> None:
    found = steps(Occasion(Asked("push"), ships=True), ["shared/x.py"])
    assert found == {"churn": (*SHIP, "build", "push", "deploy"), "fraud": SHIP}


def test_a_push_elsewhere_does_not_ship() -> None:
    assert steps(Occasion(Asked("push")), ["shared/x.py"])["churn"] == JUDGE


@pytest.mark.parametrize("kind", ["pull_request", "merge_group", "workflow_dispatch", "laptop"])
def test_only_a_push_to_the_default_branch_writes_the_store(kind: str) -> None:
    occasion = Occasion(Asked(kind))  # type: ignore[arg-type]
    assert not any("store" in todo for todo in steps(occasion, None).values())


def test_a_laptop_runs_what_it_is_asked_for() -> None:
    assert steps(Occasion(Asked()), []) == {"churn": JUDGE, "fraud": JUDGE}
    assert steps(Occasion(Asked(), models=("fraud",)), []) == {"fraud": JUDGE}


def test_a_job_for_one_model_runs_it_when_it_is_touched_and_ships_it() -> None:
    """`model:` of a matrix's job leaves the others out; it is no reason to train."""
    pull = Occasion(Asked("pull_request"), models=("churn",))
    assert steps(pull, ["churn/train.py"]) == {"churn": JUDGE}
    assert steps(pull, ["fraud/train.py"]) == {"churn": ()}
    push = Occasion(Asked("push"), ships=True, models=("churn",))
    assert steps(push, ["churn/train.py"]) == {"churn": (*SHIP, "build", "push", "deploy")}


def test_who_dispatches_a_model_wants_it_run() -> None:
    dispatched = Occasion(Asked("workflow_dispatch"), models=("fraud",))
    assert steps(dispatched, []) == {"fraud": JUDGE}
    assert steps(Occasion(Asked("workflow_dispatch")), []) == {"churn": (), "fraud": ()}


def test_a_model_that_base_has_gates_for_cannot_be_left_out() -> None:
    gone = TEXT.partition("  fraud:")[0] + "    gates: {f1: {min: 0.5}}\n  tax: {metrics: m.json}\n"
    before = parse_config(gone.replace("churn:", "old:"))
    assert steps(PULL, [], before)["old"] == ("compare",)
    assert "tax" not in steps(PULL, [], before)  # it had no gates
    assert "old" not in steps(Occasion(Asked("push"), ships=True), [], before)  # it was merged
    assert "old" not in steps(Occasion(Asked(), models=("churn",)), [], before)

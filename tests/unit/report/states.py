"""Every state that a report can be in, as records: judged by the verdict, never by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec

from mlops_ci.config.contract import Column, Contract, Rows, expand_contract
from mlops_ci.config.model import Gate, Policy, Price
from mlops_ci.config.robustness import Perturbation
from mlops_ci.data.leakage import Overlap
from mlops_ci.records import (
    Build,
    Comparison,
    Decomposition,
    Deployment,
    Environment,
    Evaluation,
    LeftOut,
    MetricResult,
    Push,
    Resolution,
    RowCounts,
    Training,
)
from mlops_ci.records.comparison import Side
from mlops_ci.records.findings import ContractResult, RobustnessResult, WeakSlice
from mlops_ci.records.training import SeedRun
from mlops_ci.report import Chart, Failure, Links, Plot, Report, Section, report_of, section_of
from mlops_ci.steps.leakage import note_of, result_of
from mlops_ci.verdict import Noise, Trainings, Uncommon, judge, widen_all
from mlops_ci.verdict.contract import (
    ColumnFacts,
    FileFacts,
    Promised,
    SchemaFacts,
    Seen,
    join_verdict,
    judge_term,
    place_of,
)
from mlops_ci.verdict.history import Past, compare_resource
from mlops_ci.verdict.perturbation import MainsDrop, Wanted, judge_drop
from mlops_ci.verdict.perturbation import Seen as Drop

HEAD, BASE = "3f9c2ab1" * 5, "a1b2c3d4" * 5
ROWS = 12_408
DOWN = ("log_loss", "brier", "rmse", "mae")
LINKS = Links(report="https://example.org/report", run="https://example.org/run/1")


def metric(name: str, base: float | None, head: float, half: float, **other: Any) -> MetricResult:
    """Symmetric intervals: `half` of the change, and 1.2 times that of the own value."""
    fields: dict[str, Any] = {
        "metric": name,
        "base": base,
        "head": head,
        "n": ROWS,
        "method": "DeLong" if name == "roc_auc" else "t" if name in DOWN else "Tango",
        "evidence": "paired",
        "higher_is_better": name not in DOWN,
        "head_low": head - 1.2 * half,
        "head_high": head + 1.2 * half,
    }
    if base is not None:
        change = head - base
        fields |= {
            "difference": change,
            "low": change - half,
            "high": change + half,
            "se": half / 1.96,
        }
    return MetricResult(**{**fields, **other})


def number(name: str, base: float | None, head: float, *, up: bool | None = True) -> MetricResult:
    return MetricResult(
        metric=name,
        base=base,
        head=head,
        difference=None if base is None else head - base,
        method="a number without rows",
        higher_is_better=up,
    )


def drop(name: str, limit: float, where: str | None = None, **other: Any) -> Gate:
    return Gate(metric=name, kind="max-drop", limit=limit, slice=where, **other)


def floor(name: str, limit: float) -> Gate:
    return Gate(metric=name, kind="min", limit=limit)


GATES = (
    drop("roc_auc", 0.01),
    drop("log_loss", 0.015),
    floor("recall", 0.6),
    drop("recall", 0.02, "region=north"),
)


def compared(
    metrics: Sequence[MetricResult],
    gates: Sequence[Gate] = (),
    *,
    model: str = "churn",
    rows: int = ROWS,
    anchor: Sequence[MetricResult] | None = None,
    unscored: int = 0,
    policy: Policy | None = None,
    **other: Any,
) -> Comparison:
    policy = policy or Policy()
    judged = judge(metrics, gates, policy, uncommon=Uncommon(unscored), anchor=anchor)
    fields: dict[str, Any] = {
        "model": model,
        "base": Side(name="main", commit=BASE, source="from the store"),
        "head": Side(name="head", commit=HEAD),
        "rows": RowCounts(head=rows, base=rows, paired=rows, paired_by="id"),
        "level": policy.level,
        "policy": policy.on_inconclusive,
        "verdict": judged.verdict,
        "blocks": judged.blocks,
        "metrics": judged.metrics,
        "gates": judged.gates,
        "primary": judged.primary,
        "evidence": "paired",
        "resolution": RESOLUTION,
        "notes": judged.notes,
    }
    return Comparison(**{**fields, **other})


RESOLUTION = Resolution(
    task="binary",
    task_from="the label has two classes",
    columns={"id": ["customer_id"], "label": ["label"], "score": ["score"], "slice": ["region"]},
    found={"id": "convention", "label": "convention", "score": "convention", "slice": "config"},
    classes=["0", "1"],
    positive="1",
    threshold=0.5,
)


def training(commit: str = HEAD, **other: Any) -> Training:
    fields: dict[str, Any] = {
        "model": "churn",
        "commit": commit,
        "run_id": "20260101T000000-abcd1234",
        "started": "2026-01-01T00:00:00+00:00",
        "duration_seconds": 192.0,
        "command": ["python", "train.py"],
        "exit_code": 0,
        "parameters": {"max_depth": 6, "seed": 1},
        "data": {"data/train.csv": "sha256:1"},
        "environment": Environment(
            python="3.12", platform="linux-x86_64", lock="uv.lock", lock_digest="sha256:1"
        ),
        "peak_memory_bytes": 480_000_000,
    }
    return Training(**{**fields, **other})


def base_training() -> Training:
    return training(
        BASE,
        parameters={"max_depth": 4, "seed": 1},
        data={"data/train.csv": "sha256:0"},
        environment=Environment(
            python="3.11", platform="linux-x86_64", lock="uv.lock", lock_digest="sha256:0"
        ),
    )


def others(shift: float = 0.0) -> list[MetricResult]:
    """More metrics and slices, without gates."""
    return [
        metric("accuracy", 0.871, 0.878 + shift, 0.004),
        metric("precision", 0.702, 0.711 + shift, 0.011),
        metric("brier", 0.0912, 0.0874, 0.0021),
        metric("roc_auc", 0.905, 0.921 + shift, 0.010, slice="region=north", n=4102),
        metric("roc_auc", 0.917, 0.930 + shift, 0.008, slice="region=south", n=8306),
    ]


def better() -> Section:
    metrics = [
        metric("roc_auc", 0.912, 0.927, 0.006),
        metric("log_loss", 0.281, 0.266, 0.007),
        metric("recall", 0.641, 0.644, 0.009),
        metric("recall", 0.612, 0.609, 0.014, slice="region=north", n=4102),
        *others(),
    ]
    return section_of(compared(metrics, GATES), training=training(), base_training=base_training())


def no_worse() -> Section:
    metrics = [metric("roc_auc", 0.912, 0.9134, 0.004), metric("recall", 0.641, 0.637, 0.009)]
    gates = (drop("roc_auc", 0.01), drop("recall", 0.02))
    return section_of(compared(metrics, gates), training=training(), base_training=base_training())


def worse() -> Section:
    metrics = [
        metric("roc_auc", 0.912, 0.918, 0.005),
        metric("log_loss", 0.281, 0.276, 0.007),
        metric("recall", 0.641, 0.632, 0.008),
        metric("recall", 0.612, 0.548, 0.021, slice="region=north", n=4102),
        *others(-0.01),
    ]
    return section_of(compared(metrics, GATES), training=training(), base_training=base_training())


def pointed_out() -> Section:
    """A search has found where it got worse, and one gate is waived: both stand in the open."""
    section = worse()
    assert section.comparison is not None
    first, *rest = section.comparison.gates
    waived = msgspec.structs.replace(
        section.gates[0], required=False, blocks=False, waived="by ana until 2026-12-31: audit"
    )
    gates = tuple(waived if gate == section.gates[0] else gate for gate in (first, *rest))
    found = WeakSlice(
        slice="plan=basic & region=north", n=677, loss=0.2, worse=209, worse_of_all=483, better=60,
        q=2.4e-22, tried=11,
    )  # fmt: skip
    notes = ("recall for `region=north` is waived by ana until 2026-12-31: audit",)
    comparison = msgspec.structs.replace(
        section.comparison, gates=gates, weak_slices=(found,), notes=notes, verdict="pass",
        blocks=False,
    )  # fmt: skip
    return replace(section, comparison=comparison)


def undecided() -> Section:
    metrics = [
        metric("roc_auc", 0.912, 0.908, 0.017, n=840),
        metric("log_loss", 0.281, 0.279, 0.011, n=840),
    ]
    return section_of(compared(metrics, GATES[:2], rows=840), training=training())


def probably_worse() -> Section:
    metrics = [
        metric("roc_auc", 0.912, 0.896, 0.017, n=840),
        metric("log_loss", 0.281, 0.279, 0.011, n=840),
    ]
    return section_of(compared(metrics, GATES[:2], rows=840), training=training())


def seeded() -> Section:
    """Both sides were trained three times: the intervals hold what a seed changes."""
    metrics = [metric("roc_auc", 0.912, 0.9134, 0.004), metric("recall", 0.641, 0.637, 0.009)]
    values: dict[tuple[str, str | None], tuple[float, ...]] = {
        ("roc_auc", None): (0.9134, 0.9127, 0.9119),
        ("recall", None): (0.637, 0.641, 0.634),
    }
    widened, retraining = widen_all(metrics, Trainings(values, values), 0.95)
    gates = (drop("roc_auc", 0.01), drop("recall", 0.02))
    comparison = compared(widened, gates, retraining=retraining, evaluations=37)
    seeds = tuple(
        SeedRun(seed=seed, folder="", outputs={}, duration_seconds=190.0) for seed in (1, 2)
    )
    return section_of(comparison, training=training(seeds=seeds), base_training=base_training())


def seeds_decide() -> Section:
    """Rows are many; two seeds that differ leave it open all the same."""
    values: dict[tuple[str, str | None], tuple[float, ...]] = {("roc_auc", None): (0.9134, 0.9051)}
    metrics = [metric("roc_auc", 0.912, 0.9134, 0.004)]
    widened, retraining = widen_all(metrics, Trainings(values), 0.95)
    comparison = compared(widened, (drop("roc_auc", 0.01),), retraining=retraining)
    return section_of(comparison, training=training(), base_training=base_training())


def noise_of_main() -> Section:
    """Trained once, and main's own retrainings say how much that may be off."""
    history = {"roc_auc": Noise(2.5e-7, 6, 8)}
    metrics = [metric("roc_auc", 0.912, 0.9134, 0.004)]
    widened, retraining = widen_all(metrics, Trainings(history=history), 0.95)
    comparison = compared(widened, (drop("roc_auc", 0.01),), retraining=retraining)
    return section_of(comparison, training=training(), base_training=base_training())


def leaking() -> Section:
    """Some evaluation rows were trained on: a gate asks for none."""
    leaked, notes = leak()
    metrics = [metric("roc_auc", 0.912, 0.931, 0.004), leaked]
    gates = (drop("roc_auc", 0.01), Gate(metric="leakage", kind="max", limit=0.0))
    comparison = compared(metrics, gates, notes=notes)
    return section_of(comparison, training=training(), base_training=base_training())


def warned_of_leakage() -> Section:
    leaked, notes = leak()
    metrics = [metric("roc_auc", 0.912, 0.931, 0.004), leaked]
    comparison = compared(metrics, (drop("roc_auc", 0.01),), notes=notes)
    return section_of(comparison, training=training(), base_training=base_training())


def leak() -> tuple[MetricResult, tuple[str, ...]]:
    found = Overlap(ROWS, 37, "train_ids.parquet", ("c-0041",))
    return result_of(found), (note_of(found),)


def hopeless() -> Section:
    """The limit is nearly what was seen: no number of rows is an advice."""
    metrics = [metric("roc_auc", 0.912, 0.9021, 0.4, n=40)]
    return section_of(compared(metrics, GATES[:1], rows=40))


def policy_fail() -> Section:
    metrics = [metric("roc_auc", 0.912, 0.908, 0.017, n=840)]
    strict = Policy(on_inconclusive="fail")
    return section_of(compared(metrics, GATES[:1], rows=840, policy=strict))


def below_floor() -> Section:
    metrics = [metric("recall", 0.641, 0.571, 0.012), metric("roc_auc", 0.912, 0.913, 0.005)]
    return section_of(compared(metrics, (floor("recall", 0.6), drop("roc_auc", 0.01))))


def probably_below_floor() -> Section:
    metrics = [metric("recall", 0.61, 0.592, 0.02), metric("roc_auc", 0.912, 0.913, 0.005)]
    return section_of(compared(metrics, (floor("recall", 0.6), drop("roc_auc", 0.01))))


def optional_failed() -> Section:
    metrics = [metric("roc_auc", 0.912, 0.914, 0.004), metric("recall", 0.641, 0.59, 0.009)]
    gates = (drop("roc_auc", 0.01), drop("recall", 0.02, required=False))
    return section_of(compared(metrics, gates))


def unchanged() -> Section:
    same = [
        metric("roc_auc", 0.912, 0.912, 0.0),
        metric("recall", 0.641, 0.641, 0.0),
    ]
    sides: dict[str, Any] = {
        "base": Side(name="main", commit=BASE, predictions_digest="sha256:1", source="same key"),
        "head": Side(name="head", commit=HEAD, predictions_digest="sha256:1"),
    }
    return section_of(compared(same, (drop("roc_auc", 0.01), drop("recall", 0.02)), **sides))


def ungated() -> Section:
    metrics = [metric("roc_auc", 0.912, 0.927, 0.006), metric("log_loss", 0.281, 0.266, 0.007)]
    return section_of(compared(metrics), training=training())


def two_files() -> Section:
    metrics = [metric("rmse", 2.984, 2.501, 0.10, n=840), metric("mae", 2.38, 2.0, 0.08, n=840)]
    sides: dict[str, Any] = {"base": Side(name="main.csv"), "head": Side(name="branch.csv")}
    rows = RowCounts(head=840, base=840, paired=840, paired_by="position")
    notes = ("There is no id column: rows are paired by position; their labels agree row by row.",)
    return section_of(
        msgspec.structs.replace(compared(metrics, model="branch", **sides), rows=rows, notes=notes)
    )


def numbers() -> Section:
    metrics = [number("test.auc", 0.912, 0.905), number("train/loss", 0.2812, 0.2790, up=False)]
    comparison = compared(
        metrics, (drop("test.auc", 0.01),), evidence="point", rows=1, resolution=None
    )
    return section_of(msgspec.structs.replace(comparison, rows=RowCounts()))


def unpaired() -> Section:
    metrics = [metric("roc_auc", 0.912, 0.93, 0.02, evidence="unpaired")]
    rows = RowCounts(head=840, base=900, paired=0, paired_by="none")
    comparison = compared(metrics, (drop("roc_auc", 0.01),), evidence="unpaired")
    return section_of(msgspec.structs.replace(comparison, rows=rows))


def unscored() -> Section:
    metrics = [metric("roc_auc", 0.912, 0.93, 0.006)]
    return section_of(
        compared(
            metrics,
            (drop("roc_auc", 0.01),),
            unscored=120,
            notes=("120 of base's 12,528 rows were not scored by head.",),
        )
    )


OTHER_ROWS = (
    "The evaluation rows changed: 1,203 of base's 12,408 are gone, 2,100 are new. Main's model has "
    "answered head's rows."
)


def other_rows() -> Section:
    """The evaluation rows changed, and main's model has answered the new ones."""
    metrics = [metric("roc_auc", 0.861, 0.866, 0.004), metric("log_loss", 0.301, 0.297, 0.006)]
    effects = (
        Decomposition(
            metric="roc_auc", base_before=0.912, base_now=0.861, head=0.866, data_effect=-0.051,
            data_low=-0.062, data_high=-0.040, model_effect=0.005, model_low=0.001, model_high=0.009,
        ),
        Decomposition(
            metric="log_loss", base_before=0.2812, base_now=0.301, head=0.297, data_effect=0.0198,
            model_effect=-0.004, model_low=-0.010, model_high=0.002,
        ),
    )  # fmt: skip
    source = "the store, by commit; its model has answered head's rows"
    return section_of(
        compared(
            metrics,
            (drop("roc_auc", 0.01),),
            base=Side(name="main", commit=BASE, source=source, behind=63, days=41),
            decomposition=effects,
            left_out=LeftOut(rows=1_203, metrics={"roc_auc": 0.874}, kept={"roc_auc": 0.921}),
            notes=(OTHER_ROWS,),
            unscored=1_203,
        )
    )


def new_rows() -> Section:
    """Main's model could not be asked about rows that are new."""
    metrics = [metric("roc_auc", 0.912, 0.93, 0.006)]
    gates = (drop("roc_auc", 0.01),)
    judged = judge(metrics, gates, Policy(), uncommon=Uncommon(added=120))
    rows = RowCounts(head=ROWS + 120, base=ROWS, paired=ROWS, paired_by="id")
    return section_of(
        msgspec.structs.replace(
            compared(metrics, gates, notes=("120 rows of head are new: they are not compared.",)),
            gates=judged.gates,
            verdict=judged.verdict,
            blocks=judged.blocks,
            rows=rows,
        )
    )


def missing_slice() -> Section:
    metrics = [metric("recall", 0.641, 0.644, 0.009)]
    return section_of(compared(metrics, (drop("recall", 0.02, "region=north"),)))


def not_assessed() -> Section:
    few = MetricResult(
        metric="f1", base=0.61, head=0.62, difference=0.01, n=40, evidence="paired",
        higher_is_better=True, note="7 discordant rows; at least 10 are needed",
    )  # fmt: skip
    return section_of(compared([few], (drop("f1", 0.02),), rows=40))


def creep() -> Section:
    gates = (drop("roc_auc", 0.01, max_total_drop=0.02),)
    now = [metric("roc_auc", 0.905, 0.904, 0.004)]
    best = [metric("roc_auc", 0.931, 0.904, 0.004)]
    return section_of(compared(now, gates, anchor=best))


def yardstick() -> Section:
    changes = (
        "`roc_auc`: max-drop 0.01 → 0.05",
        "`recall`: the gate min 0.6 is removed",
    )
    metrics = [metric("roc_auc", 0.912, 0.914, 0.004), metric("recall", 0.641, 0.637, 0.009)]
    gates = (drop("roc_auc", 0.01), drop("recall", 0.02))
    return section_of(compared(metrics, gates, changes=changes))


def first() -> Section:
    metrics = [metric("roc_auc", None, 0.912, 0.006), metric("recall", None, 0.641, 0.016)]
    gates = (floor("roc_auc", 0.85), floor("recall", 0.6))
    rows = RowCounts(head=ROWS)
    comparison = compared(metrics, gates, base=None)
    return section_of(msgspec.structs.replace(comparison, rows=rows), training=training())


def first_below_floor() -> Section:
    metrics = [metric("roc_auc", None, 0.812, 0.006), metric("recall", None, 0.641, 0.016)]
    gates = (floor("roc_auc", 0.85), floor("recall", 0.6))
    comparison = compared(metrics, gates, base=None)
    return section_of(msgspec.structs.replace(comparison, rows=RowCounts(head=ROWS)))


def first_ungated() -> Section:
    metrics = [metric("roc_auc", None, 0.912, 0.006), metric("recall", None, 0.641, 0.016)]
    comparison = compared(metrics, base=None)
    return section_of(msgspec.structs.replace(comparison, rows=RowCounts(head=ROWS)))


def failed() -> Section:
    tail = (
        'Traceback (most recent call last):\n  File "train.py", line 41, in load\n'
        '    frame = pd.read_csv("data/train.csv")\nFileNotFoundError: data/train.csv\n'
    )
    fix = (
        "`data/train.csv` is tracked by DVC and was not pulled. Give the job the remote's keys:\n"
        "      - uses: mlops-ci/mlops-ci@v0\n        env:\n"
        "          AWS_ACCESS_KEY_ID: ${{ secrets.AWS_ACCESS_KEY_ID }}"
    )
    failure = Failure(
        "train", "churn: training: `python train.py` ended with exit code 1",
        where=".mlops-ci/churn/3f9c2ab/train.log", fix=fix, tail=tail, exit_code=6,
    )  # fmt: skip
    return Section("churn", "failed", training=training(exit_code=1), failure=failure)


def evaluated() -> Section:
    """Measured, and then nothing to compare it with: its own numbers are worth seeing."""
    found = Evaluation(
        model="churn", commit=HEAD, evaluated="2026-01-01T00:00:00+00:00", rows=ROWS,
        rows_digest="sha256:" + "5e884898" * 8,
        metrics=(metric("roc_auc", None, 0.912, 0.006), metric("recall", None, 0.641, 0.016)),
    )  # fmt: skip
    section = no_baseline()
    return replace(section, evaluation=found)


def stale() -> Section:
    """What the store had was not what base declares now: said beside the table, not folded away."""
    metrics = [metric("roc_auc", 0.912, 0.9134, 0.004), metric("recall", 0.641, 0.637, 0.009)]
    gates = (drop("roc_auc", 0.01), drop("recall", 0.02))
    notes = (
        "the store was not used: it holds `main` of 2025-11-02, trained with other settings",
        "`main`'s predictions were stored without a slice that base declares",
    )
    trained = training(tracker="https://team:secret@mlflow.example.org", tracker_run="5d2f" * 8)
    return section_of(
        compared(metrics, gates, notes=notes), training=trained, base_training=base_training()
    )


def no_baseline() -> Section:
    failure = Failure(
        "base", "main's predictions are missing, and base cannot be trained here",
        where="refs/mlops-ci/store", fix="run the merge workflow on main once", exit_code=3,
    )  # fmt: skip
    return Section("churn", "failed", training=training(), failure=failure)


def not_deployed() -> Section:
    failure = Failure("deploy", "the new version was not healthy after 60 s", exit_code=7)
    section, records = better(), shipped()
    del records["deploy"]
    return Section(
        "churn", "failed", section.comparison, section.training, failure=failure, shipped=records
    )


def shipped(status: Any = "live") -> dict[str, Any]:
    digest = "sha256:" + "9f2c1a7b" * 8
    reference = f"ghcr.io/acme/churn@{digest}"
    common: dict[str, Any] = {"model": "churn", "commit": HEAD}
    return {
        "build": Build(
            **common, image="ghcr.io/acme/churn", digest=digest, model_digest="sha256:1",
            size_bytes=184_000_000,
        ),
        "push": Push(**common, image="ghcr.io/acme/churn", digest=digest, reference=reference),
        "deploy": Deployment(
            **common, target="docker", status=status, reference=reference,
            url="http://deploy.example.org:8080",
            previous="ghcr.io/acme/churn@sha256:" + "1b2c3d4e" * 8,
        ),
    }  # fmt: skip


def live() -> Section:
    section = better()
    return Section("churn", "live", section.comparison, section.training, shipped=shipped())


def put_back() -> Section:
    section = better()
    records = shipped("rolled-back")
    return Section("churn", "live", section.comparison, section.training, shipped=records)


CONTRACT = Contract(
    file="data/train.parquet",
    rows=Rows(min=1_000, max_change=0.2),
    unique=["customer_id", "day"],
    columns={
        "age": Column(dtype="integer", min=18, max=120, max_null=0.01),
        "plan": Column(values=["basic", "pro"]),
        "since": Column(max=date(2026, 1, 1)),
    },
    schema="schema.py:Schema",
)


def contract(**facts: Any) -> tuple[ContractResult, ...]:
    """Judged; `facts` stand for those of a file that keeps everything."""
    terms = expand_contract(CONTRACT)
    place = {f"{t.column} {t.kind}": place_of(t) for t in terms}
    broken = {place["age min"]: facts.pop("young", 0), place["age max"]: 0}
    other = facts.pop("other", ())
    columns = {
        "age": ColumnFacts("integer", "int64", facts.pop("missing", 0), broken, "3", "97"),
        "plan": ColumnFacts(
            "text", None, 0, {place["plan values"]: 41 * len(other)}, strange=other
        ),
        "since": ColumnFacts("date", None, 0, {place["since max"]: 0}, None, "2025-12-30"),
    }
    columns |= {name: ColumnFacts("integer", "int64", 0) for name in ("customer_id", "day")}
    gone = facts.pop("missing_file", False)
    file = FileFacts(12_880, columns, {("customer_id", "day"): 0}, missing=gone)
    seen = Seen("data/train.parquet", file, 13_004, "", SchemaFacts())
    return tuple(judge_term(Promised(term, "both"), seen) for term in terms)


def under_contract(section: Section, terms: tuple[ContractResult, ...]) -> Section:
    assert section.comparison is not None
    comparison = msgspec.structs.replace(
        section.comparison,
        contract=terms,
        verdict=join_verdict(section.comparison.verdict, terms),
        blocks=section.comparison.blocks or any(term.blocks for term in terms),
    )
    return replace(section, comparison=comparison)


def contract_kept() -> Section:
    return under_contract(no_worse(), contract())


def contract_broken() -> Section:
    return under_contract(no_worse(), contract(missing=412, young=7, other=("gold", "a|b")))


def contract_unread() -> Section:
    return under_contract(ungated(), contract(missing_file=True))


def worse_and_contract_broken() -> Section:
    return under_contract(worse(), contract(young=1))


def drops(*, scale: float = -0.427, told: bool = False) -> tuple[RobustnessResult, ...]:
    """Judged; `told`: without a gate."""
    limit = None if told else 0.02
    changed: list[tuple[Perturbation, float | None]] = [
        (Perturbation(kind="noise", amount=0.1, max_drop=limit), -0.0012),
        (Perturbation(kind="missing", amount=0.1, max_drop=limit, required=False), -0.0305),
        (Perturbation(kind="scale", amount=1000, columns=("age",), max_drop=limit), scale),
        (Perturbation(kind="swap", amount=1, columns=("region",)), None),
        (Perturbation(kind="prior", amount=0.5), 0.0),
    ]
    results = []
    for one, drop_ in changed:
        found = metric("roc_auc", 0.9134, 0.9134 + (drop_ or 0.0), 0.003 if drop_ else 0.0)
        seen = Drop(found) if drop_ is not None else Drop(None, "predict failed (KeyError: 'x|y')")
        results.append(
            judge_drop(Wanted(one, "both", "roc_auc"), seen, Policy(), MainsDrop(-0.001))
        )
    return tuple(results)


def changed_rows(section: Section, found: tuple[RobustnessResult, ...]) -> Section:
    assert section.comparison is not None
    comparison = msgspec.structs.replace(
        section.comparison,
        robustness=found,
        verdict=join_verdict(section.comparison.verdict, found),
        blocks=section.comparison.blocks or any(one.blocks for one in found),
    )
    return replace(section, comparison=comparison)


def robustness_broken() -> Section:
    return changed_rows(no_worse(), drops())


def robustness_kept() -> Section:
    return changed_rows(no_worse(), drops(scale=-0.004))


def first_robustness_told() -> Section:
    return changed_rows(first(), drops(told=True))


def first_contract_broken() -> Section:
    return under_contract(first(), contract(young=1))


def untouched(name: str = "ltv") -> Section:
    return Section(name, "untouched", why="nothing that it is made of changed")


def named(section: Section, name: str) -> Section:
    comparison = section.comparison
    if comparison is not None:
        comparison = msgspec.structs.replace(comparison, model=name)
    return replace(section, model=name, comparison=comparison)


def one(section: Section) -> Report:
    return report_of([section], LINKS)


def many() -> Report:
    sections = [
        named(better(), "churn"),
        named(worse(), "ranker"),
        named(undecided(), "fraud"),
        untouched("ltv"),
        untouched("spam"),
    ]
    return report_of(sections, LINKS)


def many_failed() -> Report:
    return report_of([named(failed(), "ranker"), named(better(), "churn")], LINKS)


def only_gate() -> Section:
    return section_of(compared([metric("recall", 0.641, 0.571, 0.012)], GATES[2:3]))


PLOTS = tuple(
    Plot(name, title, b"light", b"dark") for name, title in (("roc", "ROC"), ("own-1", "Loss"))
)
CHART = Chart(
    "roc", "ROC", 'xychart-beta\n  title "ROC"\n  line [0, 0.9, 1]\n  line [0, 0.95, 1]',
    ("▁▇█", "▁██"),
)  # fmt: skip


def drawn() -> Report:
    """Plots that have addresses: ours, and one of the project's own."""
    at = "https://github.com/acme/churn/blob/mlops-ci-plots"
    shown = tuple(
        replace(plot, light_url=f"{at}/{plot.name}.png", dark_url=f"{at}/{plot.name}-dark.png")
        for plot in PLOTS
    )
    return one(replace(better(), plots=shown))


def as_text() -> Report:
    """A job that may not show pictures."""
    section = replace(worse(), plots=PLOTS, charts=(CHART,))
    note = "plots as text: this job may not write the branch mlops-ci-plots"
    return replace(one(section), charts=True, plots_note=note)


def behind_a_link() -> Report:
    section = replace(worse(), plots=PLOTS, charts=(CHART,))
    return replace(one(section), charts=True, plots_url="https://github.com/a/b/artifacts/7")


def priced() -> Report:
    return replace(one(no_worse()), prices={"churn": Price(per_hour=2.5, currency="EUR")})


def costly() -> Section:
    """Larger than it may be, slower than main's runs say; of its memory there are two runs."""
    steady = [19.2, 20.1, 21.4, 19.8, 20.6, 20.3, 19.5]
    resources = (
        compare_resource("model_size_mb", 61.3, Past([38.0], base=38.1), 0.95),
        compare_resource("training_seconds", 96.0, Past([80.0, 91.0, 101.0, 88.0, 95.0]), 0.95),
        compare_resource("peak_memory_mb", 1843.0, Past([1790.0, 1801.0], base=1801.0), 0.95),
        compare_resource("latency_ms", 22.5, Past(steady), 0.95),
    )
    relative = {"kind": "max-drop-relative", "limit": 0.2}
    gates = (
        drop("roc_auc", 0.01),
        Gate(metric="model_size_mb", kind="max", limit=50.0),
        Gate(metric="latency_ms", **relative),  # type: ignore[arg-type]
        Gate(metric="peak_memory_mb", required=False, **relative),  # type: ignore[arg-type]
    )
    measured = [metric("roc_auc", 0.912, 0.9134, 0.004)]
    found = compared([*measured, *resources], gates)
    found = msgspec.structs.replace(found, metrics=found.metrics[:1], resources=resources)
    return section_of(found, training=training(), base_training=base_training())


def busy() -> Report:
    """Everything that a report can speak of, at once: it is one comment all the same."""
    section = changed_rows(
        under_contract(worse(), contract(missing=412, young=7, other=("gold",))), drops()
    )
    assert section.comparison is not None
    rows, leaks = other_rows().comparison, leaking().comparison
    spent, marked = costly().comparison, pointed_out().comparison
    assert rows is not None
    assert leaks is not None
    assert spent is not None
    assert marked is not None
    found = section.comparison
    heavy = [
        msgspec.structs.replace(gate, required=False, blocks=False) for gate in spent.gates[:3]
    ]
    comparison = msgspec.structs.replace(
        found,
        base=rows.base,
        metrics=[*found.metrics, leaks.metrics[1]],
        gates=[*found.gates, *heavy, *(gate for gate in leaks.gates if gate.metric == "leakage")],
        resources=spent.resources,
        weak_slices=marked.weak_slices,
        decomposition=rows.decomposition,
        left_out=rows.left_out,
        evaluations=37,
        changes=("`roc_auc`: max-drop 0.01 → 0.05", "`recall`: the gate min 0.6 is removed"),
        notes=(*rows.notes, *leaks.notes, "the store was not used: it holds other settings"),
    )
    section = replace(section, comparison=comparison, plots=PLOTS, charts=(CHART,))
    report = replace(
        one(section), charts=True, prices={"churn": Price(per_hour=2.5, currency="EUR")}
    )
    return replace(report, plots_note="plots as text: this job may not write the branch plots")


NAME = "a|b `c` @acme/all #1 <img src=x> ![](x) </details> 😀\n\n# end"


def hostile() -> Report:
    """One name for everything that others name: model, metric, slice, parameter, note, change."""
    found = [
        metric("roc_auc", 0.9, 0.8, 0.01, slice=NAME, n=50),
        metric(NAME, 0.5, 0.4, 0.01, note=NAME),
    ]
    gates = (drop("roc_auc", 0.01, NAME), drop(NAME, 0.2))
    comparison = compared(found, gates, model=NAME, changes=(NAME,), notes=(NAME,))
    trained = [training(model=NAME, parameters={NAME: value}) for value in ("1", NAME)]
    section = section_of(comparison, training=trained[0], base_training=trained[1])
    failure = Failure("train", NAME, where=NAME, fix=f"{NAME}\n{NAME}", tail=NAME)
    return report_of(
        [section, Section(f"{NAME}2", "failed", failure=failure), Section(NAME, "untouched")],
        LINKS,
        base_name=NAME,
    )


def of_metrics(count: int) -> Report:
    """`count` metrics, every tenth with a gate."""
    found = [metric(f"metric_{at}", 0.5, 0.5 + at / 1e4, 0.01) for at in range(count)]
    return one(
        section_of(compared(found, [drop(f"metric_{at}", 0.02) for at in range(0, count, 10)]))
    )


def sixty_models() -> Report:
    """As many as a monorepo has: one is worse, one does not train, most are untouched."""
    touched = [
        named(only_gate(), "m00"),
        named(no_baseline(), "m01"),
        named(first_ungated(), "m02"),
    ]
    return report_of([*touched, *(untouched(f"m{at:02}") for at in range(3, 60))], LINKS)


def _alone(made: Callable[[], Section]) -> Callable[[], Report]:
    return lambda: one(made())


SECTIONS: dict[str, Callable[[], Section]] = {
    function.__name__: function
    for function in (
        better, costly, no_worse, worse, pointed_out, undecided, probably_worse, hopeless, seeded, seeds_decide, noise_of_main, leaking, warned_of_leakage, policy_fail, below_floor,
        probably_below_floor, optional_failed, unchanged, ungated, two_files, numbers, unpaired,
        unscored, other_rows, new_rows, missing_slice, not_assessed, creep, yardstick, only_gate,
        first, first_below_floor,
        first_ungated, contract_kept, contract_broken, contract_unread, worse_and_contract_broken,
        first_contract_broken, robustness_broken,
        robustness_kept, first_robustness_told, failed, evaluated, stale, no_baseline, not_deployed, live, put_back, untouched,
    )
}  # fmt: skip
STATES: dict[str, Callable[[], Report]] = {
    **{name: _alone(made) for name, made in SECTIONS.items()},
    "many": many,
    "many_failed": many_failed,
    "drawn": drawn,
    "as_text": as_text,
    "behind_a_link": behind_a_link,
    "priced": priced,
    "busy": busy,
    "hostile": hostile,
    "no_metrics": lambda: of_metrics(0),
    "fifty_metrics": lambda: of_metrics(50),
    "sixty_models": sixty_models,
}

"""Pure mathematics: rows → sufficient statistics → intervals → verdict. No files, no network."""

from mlops_ci.verdict.comparing import (
    compare_numbers,
    compare_paired,
    compare_single,
    compare_unpaired,
)
from mlops_ci.verdict.fairness import compare_fairness
from mlops_ci.verdict.gates import CAP, Promise, Reason
from mlops_ci.verdict.judging import ALL_COMMON, Judgement, Uncommon, judge, verdict_of
from mlops_ci.verdict.merged import compare_merged
from mlops_ci.verdict.names import METRICS, askable, canonical_metric, higher_is_better
from mlops_ci.verdict.rows import Outputs, PairedRows, SingleRows
from mlops_ci.verdict.seeds import (
    Noise,
    Trainings,
    apart_by_luck,
    noise_of_history,
    noise_of_seeds,
    widen_all,
)
from mlops_ci.verdict.waivers import Waived, waive
from mlops_ci.verdict.weak import find_weak_slices
from mlops_ci.verdict.yardstick import Yardstick, merge_gates, merge_yardsticks, slice_changes

__all__ = [
    "ALL_COMMON",
    "CAP",
    "METRICS",
    "Judgement",
    "Noise",
    "Outputs",
    "PairedRows",
    "Promise",
    "Reason",
    "SingleRows",
    "Trainings",
    "Uncommon",
    "Waived",
    "Yardstick",
    "apart_by_luck",
    "askable",
    "canonical_metric",
    "compare_fairness",
    "compare_merged",
    "compare_numbers",
    "compare_paired",
    "compare_single",
    "compare_unpaired",
    "find_weak_slices",
    "higher_is_better",
    "judge",
    "merge_gates",
    "merge_yardsticks",
    "noise_of_history",
    "noise_of_seeds",
    "slice_changes",
    "verdict_of",
    "waive",
    "widen_all",
]

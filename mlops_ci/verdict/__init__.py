"""Pure mathematics: rows → sufficient statistics → intervals → verdict. No files, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.lazy import names_of

if TYPE_CHECKING:
    from mlops_ci.verdict.comparing import (
        compare_paired,
        compare_single,
        compare_unpaired,
    )
    from mlops_ci.verdict.creep import Compared
    from mlops_ci.verdict.fairness import compare_fairness
    from mlops_ci.verdict.fairness_counted import compare_counted_fairness
    from mlops_ci.verdict.gates import CAP, Promise, Reason
    from mlops_ci.verdict.judging import Judgement, judge, verdict_of
    from mlops_ci.verdict.merged import compare_merged, compare_merged_apart
    from mlops_ci.verdict.names import METRICS, askable, canonical_metric, higher_is_better
    from mlops_ci.verdict.numbers import compare_numbers
    from mlops_ci.verdict.rows import Outputs, PairedRows, SingleRows
    from mlops_ci.verdict.seeds import (
        Noise,
        Trainings,
        apart_by_luck,
        noise_of_history,
        noise_of_seeds,
        widen_all,
    )
    from mlops_ci.verdict.uncommon import ALL_COMMON, Lost, Uncommon
    from mlops_ci.verdict.waivers import Waived, waive
    from mlops_ci.verdict.weak import find_weak_merged, find_weak_slices
    from mlops_ci.verdict.yardstick import Yardstick, merge_gates, merge_yardsticks, slice_changes

__all__ = [
    "ALL_COMMON",
    "CAP",
    "METRICS",
    "Compared",
    "Judgement",
    "Lost",
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
    "compare_counted_fairness",
    "compare_fairness",
    "compare_merged",
    "compare_merged_apart",
    "compare_numbers",
    "compare_paired",
    "compare_single",
    "compare_unpaired",
    "find_weak_merged",
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
PLACES = {
    "comparing": ("compare_paired", "compare_single", "compare_unpaired"),
    "numbers": ("compare_numbers",),
    "fairness": ("compare_fairness",),
    "fairness_counted": ("compare_counted_fairness",),
    "gates": ("CAP", "Promise", "Reason"),
    "creep": ("Compared",),
    "judging": ("Judgement", "judge", "verdict_of"),
    "merged": ("compare_merged", "compare_merged_apart"),
    "names": ("METRICS", "askable", "canonical_metric", "higher_is_better"),
    "rows": ("Outputs", "PairedRows", "SingleRows"),
    "seeds": (
        "Noise",
        "Trainings",
        "apart_by_luck",
        "noise_of_history",
        "noise_of_seeds",
        "widen_all",
    ),
    "uncommon": ("ALL_COMMON", "Lost", "Uncommon"),
    "waivers": ("Waived", "waive"),
    "weak": ("find_weak_merged", "find_weak_slices"),
    "yardstick": ("Yardstick", "merge_gates", "merge_yardsticks", "slice_changes"),
}
__getattr__ = names_of(__name__, PLACES)

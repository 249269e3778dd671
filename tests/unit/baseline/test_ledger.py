"""How often an evaluation set was used."""

from __future__ import annotations

import random

from mlops_ci.baseline.entry import Header, Index, Use
from mlops_ci.baseline.ledger import MOST, count_use, times_used, with_uses, without_samples
from mlops_ci.baseline.row_sample import pack


def header(commit: str, rows: str = "r", stored: str = "2026-01-01") -> Header:
    return Header(
        address=commit, model="churn", key=commit, rows=rows, stored=stored, commits=(commit,),
        files={},
    )  # fmt: skip


def put(index: Index, new: Header) -> Index:
    return Index(entries=(*index.entries, new), uses=count_use(index, new))


def test_every_commit_is_one_use_and_a_job_again_is_none() -> None:
    index = Index()
    for commit in ("a", "b", "b", "c", "a"):
        index = put(index, header(commit))
    index = put(index, header("d", rows="other"))
    assert times_used(index, "churn", "r") == 3
    assert times_used(index, "churn", "other") == 1
    assert times_used(index, "ltv", "r") == 0


def test_the_count_outlives_the_entries() -> None:
    index = put(put(Index(), header("a")), header("b"))
    pruned = with_uses(Index(entries=index.entries[1:]), index.uses)
    assert times_used(pruned, "churn", "r") == 2
    assert times_used(put(pruned, header("c")), "churn", "r") == 3


def test_a_store_from_before_the_ledger_begins_with_what_it_has() -> None:
    index = Index(entries=(header("a"), header("b")))
    assert times_used(index, "churn", "r") == 2
    assert times_used(put(index, header("c")), "churn", "r") == 3
    assert times_used(put(index, header("a")), "churn", "r") == 2


def test_models_without_rows_have_no_test_set() -> None:
    index = put(Index(), header("a", rows=""))
    assert index.uses == ()
    assert times_used(index, "churn", "") == 0


def sample(of: range) -> bytes:
    return pack(random.Random(number).getrandbits(64) for number in of)


def test_a_set_that_grows_goes_on_counting_and_one_of_other_rows_does_not() -> None:
    index = Index()
    for turn in range(5):
        rows, grown = f"rows{turn}", sample(range(1000 + turn))
        new = header(f"commit{turn}", rows)
        index = Index(entries=(*index.entries, new), uses=count_use(index, new, grown))
    assert times_used(index, "churn", "next", sample(range(1005))) == 5
    assert times_used(index, "churn", "rows0", sample(range(1000))) == 5
    assert times_used(index, "churn", "half", sample(range(2000))) == 0, "half of it is new"
    assert times_used(index, "churn", "part", sample(range(400))) == 5, "all of it was seen"
    assert times_used(index, "churn", "other", sample(range(5000, 6000))) == 0
    assert times_used(index, "ltv", "next", sample(range(1005))) == 0
    assert times_used(index, "churn", "rows0") == 1, "without ids only the very set is known"


def test_the_ledger_has_an_end_and_forgets_the_oldest() -> None:
    uses = tuple(Use(model="churn", rows=f"{i:04}", count=1, last=f"{i:04}") for i in range(MOST))
    index = put(Index(uses=uses), header("a", stored="9999"))
    assert len(index.uses) == MOST
    assert times_used(index, "churn", "0000") == 0
    assert times_used(index, "churn", "r") == 1


def test_what_is_deleted_leaves_its_count_and_nothing_of_its_rows() -> None:
    index = Index()
    for commit, rows in (("a", "r"), ("b", "r"), ("c", "other")):
        new = header(commit, rows)
        uses = count_use(index, new, sample(range(10)))
        index = Index(entries=(*index.entries, new), uses=uses)

    def left(*commits: str) -> dict[str, tuple[int, bool]]:
        kept = tuple(one for one in index.entries if one.address in commits)
        found = without_samples(index, Index(entries=kept))
        return {one.rows: (one.count, bool(one.sample)) for one in found.uses}

    assert left("a", "c") == {"r": (2, True), "other": (1, True)}
    assert left("c") == {"r": (2, False), "other": (1, True)}
    assert left() == {"r": (2, False), "other": (1, False)}

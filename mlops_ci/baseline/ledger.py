"""How often an evaluation set was used: the more often, the less its numbers say of new data
(Blum & Hardt 2015, arXiv:1502.04585; Dwork et al. 2015, Science 349, 636–638,
doi:10.1126/science.aaa9375).

Only a merge writes the store, so main's commits are counted: what pull requests looked at is not.
A set to which rows are added is another set by its digest, and mostly the rows that were looked at
before: what was counted of sets that at least four fifths of its rows were in counts for it, too.
The counts stand in the index, so that they change with an entry or not at all, and pruning and
deleting entries leave them.
"""

from __future__ import annotations

import msgspec

from mlops_ci.baseline.entry import Header, Index, Use
from mlops_ci.baseline.row_sample import share_of

MOST = 500  # evaluation sets; the ones not used for longest are forgotten
WORN = 0.8  # of a set's rows: that many of another make it no new one


def count_use(index: Index, new: Header, sample: bytes = b"") -> tuple[Use, ...]:
    """The ledger after `new` joins `index`. A job that runs again for the same commit is no use."""
    if not new.rows:
        return index.uses
    same = [one for one in index.entries if (one.model, one.rows) == (new.model, new.rows)]
    known = {commit for one in same for commit in one.commits}
    before = find_use(index, new.model, new.rows)
    # A store from before the ledger: what is left of its entries is what can be known.
    count = before.count if before is not None else len(known)
    count += len(set(new.commits) - known)
    use = Use(model=new.model, rows=new.rows, count=count, last=new.stored, sample=sample)
    others = [one for one in index.uses if one is not before]
    newest = sorted((*others, use), key=lambda one: one.last, reverse=True)[:MOST]
    return tuple(sorted(newest, key=lambda one: (one.model, one.rows)))


def find_use(index: Index, model: str, rows: str) -> Use | None:
    return next((one for one in index.uses if (one.model, one.rows) == (model, rows)), None)


def times_used(index: Index, model: str, rows: str, sample: bytes = b"") -> int:
    """`sample`: of these rows; without one only this very set counts."""
    return _times(index, model, rows) + sum(
        one.count
        for one in index.uses
        if (one.model, one.rows) != (model, rows)
        and one.model == model
        and share_of(sample, one.sample) >= WORN
    )


def _times(index: Index, model: str, rows: str) -> int:
    found = find_use(index, model, rows)
    if found is not None or not rows:
        return found.count if found is not None else 0
    same = [one for one in index.entries if (one.model, one.rows) == (model, rows)]
    return len({commit for one in same for commit in one.commits})


def with_uses(index: Index, uses: tuple[Use, ...]) -> Index:
    return msgspec.structs.replace(index, uses=uses)


def without_samples(before: Index, after: Index) -> Index:
    """The ledger of what is left once entries were deleted: counts stay, and nothing of the rows of
    sets, or of models, that have no entry any more."""
    left = {(one.model, one.rows) for one in after.entries}
    gone = {(one.model, one.rows) for one in before.entries} - left
    models = {one.model for one in after.entries}
    uses = tuple(
        msgspec.structs.replace(one, sample=b"")
        if one.model not in models or (one.model, one.rows) in gone
        else one
        for one in before.uses
    )
    return with_uses(after, uses)

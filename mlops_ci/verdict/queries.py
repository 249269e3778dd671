"""How well scores rank the rows of each query (group): NDCG@k and MRR, means over queries.

Queries are what is sampled, so they are what the intervals count. NDCG: Järvelin & Kekäläinen 2002,
"Cumulated gain-based evaluation of IR techniques" (ACM TOIS 20, 422–446,
doi:10.1145/582415.582418), which leaves the first places undiscounted; with 1/log₂(1 + place) from
the first on, as everybody has it since: Wang et al. 2013, "A theoretical analysis of NDCG ranking
measures" (COLT 26, arXiv:1304.6480). The gain is the label itself, as in scikit-learn, not 2^label
− 1. Ties averaged: McSherry & Najork 2008, "Computing information retrieval performance measures
efficiently in the presence of tied scores" (ECIR 30, 414–421, doi:10.1007/978-3-540-78646-7_38).
MRR: Voorhees 1999, "The TREC-8 question answering track report"
(https://trec.nist.gov/pubs/trec8/papers/qa_report.pdf).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.names import Metric
from mlops_ci.verdict.rows import Floats, Ints, Outputs, View


@dataclass(frozen=True)
class Ranked:
    """One side's rows by query and falling score. `query` and `block` [n] are numbers of queries
    and of ties within them, `place` [n] counts from 0 within the query, `gain` [n] is the label.
    """

    query: Ints
    block: Ints
    place: Ints
    gain: Floats

    @property
    def queries(self) -> int:
        return int(self.query[-1]) + 1


def values_of(ranked: Ranked, metric: Metric) -> Floats:
    """Of every relevant query."""
    return reciprocal_rank(ranked) if metric.name == "mrr" else ndcg(ranked, metric.number)


def rank_queries(view: View, side: Outputs) -> Ranked:
    """Binary: the positive class is worth 1. Regression: the label is the gain, by prediction."""
    score = side.score if side.score is not None else side.prediction
    if score is None or view.queries is None:
        raise ValueError("no score, or no group")
    gain = view.actual.astype(np.float64) if view.task == "binary" else view.label
    return _ranked(view.queries, score, gain)


def _ranked(group: Ints, score: Floats, gain: Floats) -> Ranked:
    order = np.lexsort((gain, -score, group))
    group, score = group[order], score[order]
    new = np.append(True, group[1:] != group[:-1])
    tied = new | np.append(True, score[1:] != score[:-1])
    query = np.cumsum(new) - 1
    place = np.arange(len(order)) - np.flatnonzero(new)[query]
    return Ranked(query, np.cumsum(tied) - 1, place, gain[order])


def relevant(ranked: Ranked) -> Ints:
    """The queries that have anything to find: of the others no order is better than another."""
    return np.flatnonzero(np.bincount(ranked.query, weights=ranked.gain > 0))


def ndcg(ranked: Ranked, k: float | None) -> Floats:
    """Normalised discounted cumulative gain of every relevant query, with the label itself as gain
    and ties averaged (Wang et al. 2013; McSherry & Najork 2008). `k`: None for all rows.
    """
    ideal = _ranked(ranked.query, ranked.gain, ranked.gain)
    best = _discounted(ideal, k)
    chosen = relevant(ranked)
    return np.asarray(_discounted(ranked, k)[chosen] / best[chosen])


def _discounted(ranked: Ranked, k: float | None) -> Floats:
    discount = 1 / np.log2(ranked.place + 2.0)
    if k is not None:
        discount[ranked.place >= k] = 0.0
    rows = np.bincount(ranked.block)
    mean = (np.bincount(ranked.block, weights=ranked.gain) / rows)[ranked.block]
    found = np.bincount(ranked.query, weights=mean * discount, minlength=ranked.queries)
    return np.asarray(found, dtype=np.float64)


def reciprocal_rank(ranked: Ranked) -> Floats:
    """1 / the place of the best relevant row, of every relevant query. Of tied rows the relevant
    one comes last: a constant score finds nothing (Voorhees 1999).
    """
    last = np.append(ranked.block[1:] != ranked.block[:-1], True)
    end_of_block = ranked.place[last][ranked.block]
    hit = np.flatnonzero(ranked.gain > 0)
    place = np.full(ranked.queries, np.iinfo(np.int64).max)
    np.minimum.at(place, ranked.query[hit], end_of_block[hit])
    return np.asarray(1 / (place[relevant(ranked)] + 1.0))

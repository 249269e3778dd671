from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.data import keys, room
from mlops_ci.data.keys import digest_rows, find_doubles, hash_keys, hash_name, match, mix

TEXTS = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=6)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
KEYS = st.lists(NUMBERS, unique=True, min_size=1, max_size=30) | st.lists(
    TEXTS, unique=True, min_size=1, max_size=30
)
NAMES = ("no", "yes")


@settings(deadline=None, max_examples=100)
@given(KEYS, st.randoms())
def test_rows_have_no_order(keys: list[str | int], shuffler: random.Random) -> None:
    labels = [len(str(key)) % 2 for key in keys]
    pairs = list(zip(keys, labels, strict=True))
    shuffler.shuffle(pairs)
    mixed = digest_rows(np.array([k for k, _ in pairs]), np.array([v for _, v in pairs]), NAMES)
    assert digest_rows(np.array(keys), np.array(labels), NAMES) == mixed
    labels[0] = 1 - labels[0]
    assert digest_rows(np.array(keys), np.array(labels), NAMES) != mixed
    assert digest_rows(np.array(keys[1:]), np.array(labels[1:], dtype=int), NAMES) != mixed


def test_without_keys_the_order_counts() -> None:
    one, other = np.array([0, 1]), np.array([1, 0])
    assert digest_rows(None, one, NAMES) != digest_rows(None, other, NAMES)


def test_labels_that_change_places_change_the_digest() -> None:
    """The sums over the rows must not see keys and labels apart from each other."""
    keys = np.array([1, 2])
    one, other = np.array([0, 1]), np.array([1, 0])
    assert digest_rows(keys, one, NAMES) != digest_rows(keys, other, NAMES)
    assert digest_rows(keys, one * 1.5, ()) != digest_rows(keys, other * 1.5, ())


def test_the_digest_is_of_names_not_of_codes() -> None:
    keys, codes = np.array([1, 2]), np.array([0, 1])
    assert digest_rows(keys, codes, ("a", "b")) == digest_rows(keys, 1 - codes, ("b", "a"))
    assert digest_rows(keys, codes, ("a", "b")) != digest_rows(keys, codes, ("a", "c"))


def test_digests_stay_what_they_are_in_later_versions() -> None:
    """They are stored, and compared with those of other versions and machines."""
    assert int(hash_name("yes")) == 0x8A798890FE938171
    assert mix(np.array([0, 1], np.uint64)).tolist() == [0xE220A8397B1DCDAF, 0x910A2DEC89025CC1]
    found = digest_rows(np.array(["a", "é7"]), np.array([0, 1]), NAMES)
    assert found == GOLDEN


GOLDEN = "sha256:4db607480fe78cbf39d44514a49c46d93bf2849b4b6423ec13c0656ae2a61e99"


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5), st.integers(1, 20))
def test_a_key_has_one_hash_whatever_the_column_is_wide(keys: list[str], more: int) -> None:
    wide = np.array(keys, dtype=f"U{max(map(len, keys)) + more}")
    assert hash_keys(wide).tolist() == hash_keys(np.array(keys)).tolist()
    assert len(set(hash_keys(wide).tolist())) == len(set(keys))


@settings(deadline=None, max_examples=200)
@given(KEYS, KEYS, st.randoms(), st.booleans())
def test_pairs_are_those_of_a_dictionary(
    base: list[str | int], head: list[str | int], shuffler: random.Random, shared: bool
) -> None:
    if shared:
        head = list(base) + [key for key in head if isinstance(key, type(base[0]))]
        head = list(dict.fromkeys(head))
        shuffler.shuffle(head)
    left, right = match(np.array(base), np.array(head))
    rows = range(len(base))
    found = {
        (int(a), int(b))
        for a, b in zip(np.arange(len(base))[left], np.arange(len(head))[right], strict=True)
    }
    place = {str(key): row for row, key in enumerate(head)}
    assert found == {(row, place[str(base[row])]) for row in rows if str(base[row]) in place}


@settings(deadline=None, max_examples=100)
@given(st.lists(NUMBERS, max_size=20) | st.lists(TEXTS, max_size=20), st.booleans())
def test_doubles_are_those_that_are_there_twice(keys: list[str | int], rising: bool) -> None:
    keys = sorted(keys, key=str) if rising else keys
    double = sorted({key for key in keys if keys.count(key) > 1})
    for chunk in (2, 3, room.CHUNK):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(room, "CHUNK", chunk)
            count, first = find_doubles(np.array(keys))
        assert (count, first.tolist()) == (len(double), double[:3])


def test_many_keys_are_matched_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    every = rng.permutation(5_000)
    base, head = every[:4_000], rng.permutation(every[500:])
    few = match(base, head)
    monkeypatch.setattr(room, "MANY", 100)
    monkeypatch.setattr(room, "CHUNK", 333)
    monkeypatch.setattr(keys, "AT_ONCE", 777)
    many = match(base, head)
    assert len(base[many[0]]) == 3_500
    assert np.array_equal(base[many[0]], head[many[1]])
    assert all(
        np.array_equal(np.asarray(one), np.asarray(other))
        for one, other in zip(few, many, strict=True)
    )
    left, right = match(head, every)
    assert left == slice(None)
    assert np.array_equal(every[right], head)
    assert all(len(base[rows]) == 0 for rows in match(base, base + 10_000))


def test_a_sample_is_spread_evenly_and_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MANY", 1_000)
    places = room.chosen(7_777)
    assert np.array_equal(places, room.chosen(7_777))
    assert len(np.unique(places)) == 1_000
    assert places[0] >= 0
    assert places[-1] < 7_777
    gaps = np.bincount(places // 778)
    assert gaps.min() > 90
    assert 400 < np.count_nonzero(places % 2) < 600

"""Row keys: which rows are the same ones.

Whole numbers stay numbers (`int64`), whatever form the file has them in; any other key is a text,
or, in a file of many rows, a 64-bit hash of it (`uint64`).
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.room import chunks, is_many, room

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64] | slice
ALL = slice(None)
SHOWN = 3
AS_TEXT = 1 << 17  # keys that are texts at once
AT_ONCE = 1 << 20  # keys that are matched at once
# The constants of SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195).
GAMMA = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)


def mix(values: Hashes) -> Hashes:
    """SplitMix64: one bit of the value changes half of the result's."""
    z = values + GAMMA
    z ^= z >> np.uint64(30)
    z *= FIRST
    z ^= z >> np.uint64(27)
    z *= SECOND
    z ^= z >> np.uint64(31)
    return z


def hash_keys(keys: NDArray[Any]) -> Hashes:
    """One number a key, the same in every version, on every machine and for every column width."""
    if keys.dtype == np.uint64:
        return keys
    if keys.dtype.kind != "U":
        return mix(keys.astype(np.int64).view(np.uint64))
    width = keys.dtype.itemsize // 4
    letters = np.ascontiguousarray(keys).view(np.uint32).reshape(len(keys), width)
    total = np.zeros(len(keys), np.uint64)
    for place, factor in enumerate(_factors(width)):
        # Multilinear: a shorter key is one with zeros behind it.
        total += letters[:, place] * factor
    return mix(total)


def hash_texts(keys: NDArray[Any]) -> Hashes:
    """Of texts, or of numbers as texts; a few at a time, for each takes the room of the longest."""
    found = room(len(keys), np.uint64)
    for part in chunks(len(keys), AS_TEXT):
        found[part] = hash_keys(keys[part].astype(str))
    return found


def _factors(width: int) -> Hashes:
    return mix(np.arange(1, width + 1, dtype=np.uint64) * GAMMA) | np.uint64(1)


def hash_name(name: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))


def find_doubles(keys: NDArray[Any]) -> tuple[int, NDArray[Any]]:
    """How many keys occur more than once, and the first of them; no sort where the keys rise."""
    if len(keys) < 2 or (keys.dtype.kind != "U" and rises(keys)):
        return 0, keys[:0]
    ordered = room(len(keys), keys.dtype) if keys.dtype.kind != "U" else np.empty_like(keys)
    ordered[:] = keys
    ordered.sort()
    count = 0
    first: list[int] = []
    for part in chunks(len(keys) - 1):
        same = ordered[1:][part] == ordered[:-1][part]
        before = part.start > 0 and ordered[part.start] == ordered[part.start - 1]
        begins = same & ~np.concatenate(([before], same[:-1]))
        count += int(begins.sum())
        if count and len(first) < SHOWN:
            first += [part.start + int(place) for place in np.flatnonzero(begins)[:SHOWN]]
    return count, ordered[first[:SHOWN]]


def rises(keys: NDArray[Any]) -> bool:
    steps = chunks(len(keys) - 1)
    return all(bool((keys[1:][part] > keys[:-1][part]).all()) for part in steps)


def match(base: NDArray[Any], head: NDArray[Any]) -> tuple[Rows, Rows]:
    """The rows of base and of head that have one key, in base's order. Keys are unique.

    `slice(None)` twice: the two files have the same keys in the same order. Once: head has all keys
    of base.
    """
    if base.dtype.kind != head.dtype.kind:
        base, head = alike(base, head)
    if _equal(base, head):
        return ALL, ALL
    if base.dtype.kind == "U":
        base, head = hash_keys(base), hash_keys(head)
    if is_many(max(len(base), len(head))):
        return _match_many(base, head)
    order = np.argsort(head)
    place, found = _find(head[order], base)
    return np.flatnonzero(found), order[place[found]]


def _match_many(base: NDArray[Any], head: NDArray[Any]) -> tuple[Rows, Rows]:
    """In parts by their hashes, so that the memory does not grow with the rows."""
    parts = -(-max(len(base), len(head)) // AT_ONCE)
    sides = [_rows_by_part(keys, parts) for keys in (base, head)]
    partner = room(len(base), np.int64)
    partner[:] = -1
    for number in range(parts):
        one, other = (rows[ends[number] : ends[number + 1]] for rows, ends in sides)
        theirs = head[other]
        order = np.argsort(theirs)
        place, found = _find(theirs[order], base[one])
        partner[one[found]] = other[order[place[found]]]
    paired = sum(int(np.count_nonzero(partner[part] >= 0)) for part in chunks(len(base)))
    if paired == len(base):
        return ALL, partner
    left, right, at = room(paired, np.int64), room(paired, np.int64), 0
    for part in chunks(len(base)):
        rows = np.flatnonzero(partner[part] >= 0) + part.start
        left[at : at + len(rows)] = rows
        right[at : at + len(rows)] = partner[rows]
        at += len(rows)
    return left, right


def _rows_by_part(keys: NDArray[Any], parts: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows in the order of their parts, and in each of these in their own; where a part begins, and
    the last one ends."""
    counts = np.zeros(parts, dtype=np.int64)
    for part in chunks(len(keys), AT_ONCE):
        counts += np.bincount(number_of(hash_keys(keys[part]), parts), minlength=parts)
    ends = np.r_[0, np.cumsum(counts)]
    at, ordered = ends.copy(), room(len(keys), np.int64)
    for part in chunks(len(keys), AT_ONCE):
        numbers = number_of(hash_keys(keys[part]), parts)
        rows = np.argsort(numbers, kind="stable") + part.start
        start = 0
        for number, count in enumerate(np.bincount(numbers, minlength=parts).tolist()):
            ordered[at[number] : at[number] + count] = rows[start : start + count]
            at[number] += count
            start += count
    return ordered, ends


def _find(ordered: NDArray[Any], keys: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The places of keys among others, which rise, and which of them are there."""
    place = np.searchsorted(ordered, keys)
    place[place == len(ordered)] = 0
    found = ordered[place] == keys if len(ordered) else np.zeros(len(keys), np.bool_)
    return place, found


def number_of(hashes: Hashes, parts: int) -> NDArray[np.uint16]:
    """The part that each belongs to: all parts are equally likely."""
    return ((hashes >> np.uint64(32)) * np.uint64(parts) >> np.uint64(32)).astype(np.uint16)


def alike(base: NDArray[Any], head: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Numbers on one side and texts or their hashes on the other: as hashes of text."""
    return text_hashes(base), text_hashes(head)


def text_hashes(keys: NDArray[Any]) -> Hashes:
    """One number a key, and the same for 7 and for '7'."""
    return hash_keys(keys) if keys.dtype.kind != "i" else hash_texts(keys)


def _equal(base: NDArray[Any], head: NDArray[Any]) -> bool:
    if len(base) != len(head):
        return False
    return all(np.array_equal(base[part], head[part]) for part in chunks(len(base)))


def digest_rows(keys: NDArray[Any] | None, labels: NDArray[Any], names: tuple[str, ...]) -> str:
    """The identity of the evaluation data, whatever the order of its rows. Without keys a row's
    place is its key. `labels`: codes into `names`, or numbers where there are none.

    Each row's key and label make two numbers; the sums of these over the rows are hashed.
    """
    return digest_of(len(labels), sum_rows(keys, labels, names))


def digest_of(rows: int, sums: tuple[int, int]) -> str:
    text = f"{rows} {sums[0]:016x} {sums[1]:016x}"
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def sum_rows(
    keys: NDArray[Any] | None, labels: NDArray[Any], names: tuple[str, ...], first: int = 0
) -> tuple[int, int]:
    """Modulo 2⁶⁴, so that parts of a file add up. `first`: the place of the first of the rows."""
    named = np.array([hash_name(name) for name in names], dtype=np.uint64)
    sums = [0, 0]
    for part in chunks(len(labels)):
        rows = _row_hashes(keys, labels, named, (part, first))
        for turn, values in enumerate((rows, mix(rows ^ GAMMA))):
            sums[turn] = (sums[turn] + int(values.sum())) % 2**64
    return sums[0], sums[1]


def least_hashes(
    keys: NDArray[Any], labels: NDArray[Any], names: tuple[str, ...], most: int
) -> list[int]:
    """The least of the rows' hashes: a sample that every file with the same rows has in common."""
    named = np.array([hash_name(name) for name in names], dtype=np.uint64)
    least = np.zeros(0, np.uint64)
    for part in chunks(len(labels)):
        found = np.concatenate((least, _row_hashes(keys, labels, named, (part, 0))))
        least = np.partition(found, most)[:most] if len(found) > most else found
    return sorted(least.tolist())


def _row_hashes(
    keys: NDArray[Any] | None, labels: NDArray[Any], named: Hashes, at: tuple[slice, int]
) -> Hashes:
    part, first = at
    key = (
        mix(np.arange(first + part.start, first + part.stop, dtype=np.uint64))
        if keys is None
        else hash_keys(keys[part])
    )
    label = (
        named[labels[part]]
        if len(named)
        else mix((labels[part].astype(np.float64) + 0.0).view(np.uint64))
    )
    return mix(key + mix(label))

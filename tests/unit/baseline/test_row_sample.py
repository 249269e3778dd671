"""A sample of some hashes tells what part of its rows another set has."""

from __future__ import annotations

import random

import pytest

from mlops_ci.baseline.row_sample import BYTES, SIZE, pack, share_of


def hashes(of: range) -> list[int]:
    return [random.Random(number).getrandbits(64) for number in of]


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        (range(5000), range(5000), 1.0),
        (range(5000), range(5001), 1.0),
        (range(5001), range(5000), 1.0),
        (range(5000), range(4000), 0.8),
        (range(4000), range(8000), 1.0),
        (range(8000), range(4000), 0.5),
        (range(5000), range(5000, 9000), 0.0),
        (range(50), range(25, 90), 0.5),  # all of them are known, so this is exact
        (range(100), range(400), 1.0),
    ],
)
def test_the_part_that_another_set_has(one: range, other: range, share: float) -> None:
    found = share_of(pack(hashes(one)), pack(hashes(other)))
    assert found == pytest.approx(share, abs=0.0 if share in (0, 1) or len(one) < SIZE else 0.12)


def test_nothing_is_known_without_a_sample_or_of_a_broken_one() -> None:
    sample = pack(hashes(range(300)))
    assert len(sample) == SIZE * BYTES
    for broken in (b"", sample[:-1], sample * 2):
        assert share_of(sample, broken) == share_of(broken, sample) == 0.0

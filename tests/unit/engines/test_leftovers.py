"""Whose process it is, as /proc tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci.engines.leftovers import end_leftovers, processes_of

STATUS = "Name:\tpython\nUmask:\t0022\nState:\t{state}\nTgid:\t7\nUid:\t{uids}\nGid:\t0\t0\t0\t0\n"


def process(proc: Path, number: int, state: str, uids: str) -> None:
    (proc / str(number)).mkdir()
    told = STATUS.format(state=state, uids="\t".join(uids.split()))
    (proc / str(number) / "status").write_text(told)


@pytest.mark.parametrize("uids", ["1001 1001 1001 1001", "1001 0 0 0", "0 1001 0 0", "0 0 1001 0"])
@pytest.mark.parametrize("state", ["S (sleeping)", "R (running)", "T (stopped)", "D (disk sleep)"])
def test_a_living_process_of_the_user(tmp_path: Path, uids: str, state: str) -> None:
    process(tmp_path, 7, state, uids)
    assert list(processes_of(1001, tmp_path)) == [7]


@pytest.mark.parametrize(
    ("state", "uids"),
    [
        ("S (sleeping)", "0 0 0 0"),
        ("S (sleeping)", "10010 10010 10010 10010"),
        ("S (sleeping)", "0 0 0 1001"),  # the file system's user alone: nobody is run as that
        ("Z (zombie)", "1001 1001 1001 1001"),
        ("X (dead)", "1001 1001 1001 1001"),
    ],
)
def test_others_and_the_dead_are_let_be(tmp_path: Path, state: str, uids: str) -> None:
    process(tmp_path, 7, state, uids)
    (tmp_path / "8").mkdir()  # ended between two looks
    (tmp_path / "self").mkdir()
    assert list(processes_of(1001, tmp_path)) == []


def test_outside_a_container_of_ours_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.kill", lambda *_: pytest.fail("somebody's process was ended"))
    end_leftovers((0, 0))
    end_leftovers(None)

from __future__ import annotations

from mlops_ci.engines.owner import NOBODY, Owned, choose_user

SOCKET = Owned(0, 118, 0o660)


def test_outside_a_runner_root_stays_root_in_its_own_folder() -> None:
    assert choose_user(Owned(0, 0, 0o755), [SOCKET], runner=False) is None


def test_the_workspaces_owner_trains() -> None:
    assert choose_user(Owned(1001, 1001, 0o755), [SOCKET], runner=True) == (1001, 1001)


def test_the_group_is_given_up_when_it_opens_the_docker_socket() -> None:
    """GitHub's own runners: the workspace belongs to runner:docker."""
    assert choose_user(Owned(1001, 118, 0o755), [SOCKET], runner=True) == (1001, 1001)


def test_a_root_owned_workspace_in_a_runner_is_no_reason_to_keep_root() -> None:
    assert choose_user(Owned(0, 0, 0o755), [SOCKET], runner=True) == (NOBODY, NOBODY)


def test_an_owner_who_owns_the_socket_is_not_taken() -> None:
    rootless = Owned(1001, 1001, 0o660)
    assert choose_user(Owned(1001, 1001, 0o755), [rootless], runner=True) == (NOBODY, NOBODY)


def test_the_mode_decides_who_may_connect() -> None:
    assert Owned(0, 118, 0o666).lets((7, 7))
    assert Owned(0, 118, 0o660).lets((7, 118))
    assert not Owned(0, 118, 0o600).lets((7, 118))
    assert not Owned(7, 118, 0o060).lets((7, 118))

"""HAProxy's configuration carries the state; its statistics tell the truth."""

from __future__ import annotations

import itertools

import pytest

from mlops_ci.targets.haproxy import (
    SLOTS,
    Server,
    Standing,
    actual_standing,
    read_servers,
    read_standing,
    render,
    switch_command,
)

CHOICES: tuple[str | None, ...] = (None, *SLOTS)
STAT = """# pxname,svname,status,weight,check_status,addr,
front,FRONTEND,OPEN,,,,
model,a,UP,100,L7OK,172.18.0.3:8080,
model,b,DRAIN,0,L7OK,172.18.0.4:8080,
model,c,MAINT (resolution),0,,,
model,BACKEND,UP,100,,,

"""


@pytest.mark.parametrize(("live", "previous"), list(itertools.product(CHOICES, CHOICES)))
def test_what_is_rendered_is_read(live: str | None, previous: str | None) -> None:
    assert read_standing(render(Standing(live, previous))) == Standing(live, previous)


def test_only_the_live_slot_gets_traffic() -> None:
    lines = [line for line in render(Standing("b", "a")).splitlines() if "server " in line]
    weights = [line.rsplit(" ", 1)[1] for line in lines if " slot-" in line]
    assert weights == ["0", "100", "0"]


def test_the_admin_socket_is_on_loopback_alone() -> None:
    sockets = [line for line in render(Standing()).splitlines() if "stats socket" in line]
    assert sockets == ["    stats socket ipv4@127.0.0.1:9999 level admin"]


def test_unknown_text_is_no_standing() -> None:
    for text in ("", "# live=x previous=y", "global\n"):
        assert read_standing(text) == Standing()


def test_statistics() -> None:
    servers = read_servers(STAT)
    assert servers["a"] == Server("a", 100, checked=True, address="172.18.0.3")
    assert servers["b"] == Server("b", 0, checked=True, address="172.18.0.4")
    assert servers["c"] == Server("c", 0, checked=False, address="", up=False)


@pytest.mark.parametrize(
    ("status", "check", "checked", "up"),
    [
        ("UP", "* L7OK", True, True),  # the next check is under way
        ("UP 2/3", "L7TOUT", False, True),
        ("UP 2/3", "* L4CON", False, True),
        ("DOWN", "L7STS", False, False),
        ("DOWN 1/2", "L7OK", True, False),
    ],
)
def test_a_check_under_way_or_failed_once_takes_no_server_out(
    status: str, check: str, checked: bool, up: bool
) -> None:
    stat = STAT.replace("model,a,UP,100,L7OK", f"model,a,{status},100,{check}")
    assert read_servers(stat)["a"] == Server("a", 100, checked, "172.18.0.3", up)


def servers(*weights: int) -> dict[str, Server]:
    return {
        slot: Server(slot, weight, checked=True, address="")
        for slot, weight in zip(SLOTS, weights, strict=True)
    }


@pytest.mark.parametrize(
    ("weights", "recorded", "actual"),
    [
        ((100, 0, 0), Standing("a", "b"), Standing("a", "b")),
        ((0, 100, 0), Standing("a", "c"), Standing("b", "a")),  # killed before it was recorded
        ((100, 100, 0), Standing("a", "c"), Standing("a", "c")),  # killed while switching
        ((0, 0, 0), Standing("a", None), Standing("a", None)),
        ((0, 0, 100), Standing(), Standing("c", None)),
    ],
)
def test_traffic_decides(
    weights: tuple[int, int, int], recorded: Standing, actual: Standing
) -> None:
    assert actual_standing(servers(*weights), recorded) == actual


def test_the_new_one_is_up_before_the_old_one_is_down() -> None:
    commands = switch_command("b").split("; ")
    assert commands[0] == "set server model/b weight 100"
    assert sorted(commands[1:]) == ["set server model/a weight 0", "set server model/c weight 0"]

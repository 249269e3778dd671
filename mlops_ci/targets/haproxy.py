"""HAProxy's configuration and runtime answers, as text.

https://docs.haproxy.org/2.6/management.html#9.3
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

PORT = 8080
ADMIN_PORT = 9999
BACKEND = "model"
SLOTS = ("a", "b", "c")
FULL, NONE = 100, 0
STATE = re.compile(r"^# live=(\w*) previous=(\w*)$", re.MULTILINE)

# The admin socket listens on the front's own loopback: only who may `docker exec` reaches it.
# Names are resolved again and again, since a restarted container may get another address; only a
# clear "no such name" takes a server out, a silent name server does not. Without `timeout check` a
# check has 2 s (`inter`) for its answer, and a busy machine's only version would be given up.
CONFIGURATION = """# live={live} previous={previous}
global
    log stdout format raw local0 notice
    stats socket ipv4@127.0.0.1:{admin} level admin
    stats timeout 30s
    maxconn 4096

defaults
    mode http
    log global
    timeout connect 5s
    timeout client 75s
    timeout server 120s
    timeout http-keep-alive 75s
    timeout check 10s
    option redispatch
    retries 3

resolvers docker
    nameserver dns 127.0.0.11:53
    resolve_retries 3
    timeout resolve 500ms
    timeout retry 500ms
    hold valid 500ms
    hold nx 500ms
    hold obsolete 0s
    hold timeout 1h
    hold refused 1h
    hold other 1h

frontend front
    bind :{port}
    option forwardfor
    default_backend {backend}

backend {backend}
    balance roundrobin
    option httpchk
    http-check send meth GET uri /v2/health/ready
    http-check expect status 200
    default-server check inter 2s fastinter 500ms downinter 500ms fall 3 rise 1 resolvers docker resolve-prefer ipv4 init-addr none
{servers}"""  # noqa: E501
SERVER = "    server {slot} slot-{slot}:{port} weight {weight}\n"


@dataclass(frozen=True)
class Standing:
    """Which slot is live, which one `rollback` puts back."""

    live: str | None = None
    previous: str | None = None


@dataclass(frozen=True)
class Server:
    """One slot as HAProxy sees it now. `checked`: its last health check succeeded. `up`: HAProxy
    has not given it up, which takes three failed checks one after the other."""

    slot: str
    weight: int
    checked: bool
    address: str
    up: bool = True


def render(standing: Standing) -> str:
    servers = (
        SERVER.format(slot=slot, port=PORT, weight=FULL if slot == standing.live else NONE)
        for slot in SLOTS
    )
    return CONFIGURATION.format(
        live=standing.live or "",
        previous=standing.previous or "",
        admin=ADMIN_PORT,
        port=PORT,
        backend=BACKEND,
        servers="".join(servers),
    )


def read_standing(configuration: str) -> Standing:
    """What `render` wrote; nothing known for any other text."""
    match = STATE.search(configuration)
    if match is None:
        return Standing()
    live, previous = (slot if slot in SLOTS else None for slot in match.groups())
    return Standing(live, previous)


def read_servers(stat: str) -> dict[str, Server]:
    """The answer to `show stat`: CSV with a `# ` before the names; `* ` before the status of a
    check says that the next one is under way.

    https://docs.haproxy.org/2.6/management.html#9.1
    """
    lines = csv.DictReader(stat.lstrip("# \n").splitlines())
    return {
        line["svname"]: Server(
            slot=line["svname"],
            weight=int(line["weight"] or 0),
            checked=line["check_status"].removeprefix("* ") == "L7OK"
            and not line["status"].startswith("MAINT"),
            address=(line.get("addr") or "").rpartition(":")[0],
            up=not line["status"].startswith(("DOWN", "MAINT")),
        )
        for line in lines
        if line.get("pxname") == BACKEND and line.get("svname") in SLOTS
    }


def actual_standing(servers: dict[str, Server], recorded: Standing) -> Standing:
    """What is true when traffic and the record differ: a run was killed between the two.

    Traffic decides. Where two slots get traffic, the recorded one was being replaced.
    """
    taking = [slot for slot in SLOTS if slot in servers and servers[slot].weight > 0]
    if not taking or recorded.live in taking:
        return recorded
    return Standing(live=taking[0], previous=recorded.live)


def switch_command(live: str) -> str:
    """One line, so that HAProxy carries it out as a whole: the new one up, then the others down."""
    others = [slot for slot in SLOTS if slot != live]
    commands = [f"set server {BACKEND}/{live} weight {FULL}"]
    commands += [f"set server {BACKEND}/{slot} weight {NONE}" for slot in others]
    return "; ".join(commands)

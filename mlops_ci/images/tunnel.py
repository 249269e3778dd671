"""A Docker host's socket, brought here by SSH.

`ssh` itself does it, with the user's own configuration, agent and known hosts. Where there are none
(a container action sees no home of the runner's), MLOPS_CI_SSH_KEY and MLOPS_CI_SSH_KNOWN_HOSTS
hold the texts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mlops_ci.errors import AccessError, ServiceError, UsageError
from mlops_ci.world import Command, World

REMOTE = "/var/run/docker.sock"
CONNECT_SECONDS = 20
KEY, KNOWN_HOSTS = "MLOPS_CI_SSH_KEY", "MLOPS_CI_SSH_KNOWN_HOSTS"
KEYS = f"""give the step a key, and the host's own key to compare with:
    env:
      {KEY}: ${{{{ secrets.DEPLOY_KEY }}}}
      {KNOWN_HOSTS}: ${{{{ vars.DEPLOY_KNOWN_HOSTS }}}}
the second is what `ssh-keyscan HOST` prints, compared with the host's own"""


@contextmanager
def tunnel(address: str, world: World) -> Iterator[str]:
    """`ssh://user@host[:port][/path/to/docker.sock]` → `unix://…` while the block runs.

    The process ends with its standard input, so with us, however we end. Raises AccessError when
    the host refuses us or is not the known one, ServiceError when it cannot be reached.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-ci-") as name:
        folder = Path(name)
        local = folder / "docker.sock"
        argv = (*_options(folder, world), *_target(address, local))
        process = world.start(Command(argv, env=world.environ), folder / "ssh.log")
        try:
            end = world.monotonic() + CONNECT_SECONDS + 10
            while not local.exists():
                if process.poll() is not None or world.monotonic() > end:
                    raise _error(address, (folder / "ssh.log").read_text("utf-8", "replace"))
                world.sleep(0.05)
            yield f"unix://{local}"
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.terminate()
            process.wait()


def _options(folder: Path, world: World) -> tuple[str, ...]:
    settings = [
        "BatchMode=yes",
        f"ConnectTimeout={CONNECT_SECONDS}",
        "ExitOnForwardFailure=yes",
        "ServerAliveInterval=15",
        "StreamLocalBindMask=0177",
    ]
    if world.environ.get(KEY):
        settings += ["IdentitiesOnly=yes", f"IdentityFile={_keep(folder / 'key', world, KEY)}"]
    if world.environ.get(KNOWN_HOSTS):
        known = _keep(folder / "known_hosts", world, KNOWN_HOSTS)
        settings += ["StrictHostKeyChecking=yes", f"UserKnownHostsFile={known}"]
    return ("ssh", "-T", *(word for setting in settings for word in ("-o", setting)))


def _keep(path: Path, world: World, name: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(world.environ[name].replace("\r\n", "\n").rstrip("\n") + "\n", "utf-8")
    return path


def _target(address: str, local: Path) -> tuple[str, ...]:
    """`cat` reads our standard input: the other end of the line notices when we are gone."""
    url = urlsplit(address)
    if not url.hostname or url.hostname.startswith("-") or (url.username or "").startswith("-"):
        raise UsageError(
            f"{address!r} is not a Docker host", fix="write host: ssh://deploy@example.org"
        )
    remote = url.path if url.path not in ("", "/") else REMOTE
    port = ("-p", str(url.port)) if url.port else ()
    user = ("-l", unquote(url.username)) if url.username else ()
    return ("-L", f"{local}:{remote}", *port, *user, "--", url.hostname, "cat")


def _error(address: str, log: str) -> AccessError | ServiceError:
    said = log.strip() or "no answer in time"
    denied = ("Permission denied", "Host key verification failed", "IDENTIFICATION HAS CHANGED")
    if any(sign in said for sign in denied):
        return AccessError(f"the Docker host lets us not in: {said}", where=address, fix=KEYS)
    return ServiceError(
        f"the Docker host cannot be reached: {said}",
        where=address,
        fix=f"try it by hand: ssh {address.removeprefix('ssh://')} docker version",
    )

"""The Python that the user's commands find: their own environment, made by uv and kept."""

from __future__ import annotations

import fcntl
import hashlib
import platform
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from mlops_ci.config import Model
from mlops_ci.engines.job import Echo, Engine, Job
from mlops_ci.engines.local import home_of
from mlops_ci.engines.owner import make_folder, user_for
from mlops_ci.errors import CommandError, ConfigError, UsageError
from mlops_ci.world import World

Read = Callable[[str], bytes | None]
Kind = Literal["requirements", "uv", "pyproject"]
INCLUDE = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[\s=]+(\S+)", re.MULTILINE)
COMPLETE = "mlops-ci-complete"
MAX_INCLUDES = 32


@dataclass(frozen=True)
class Lock:
    """What the environment is made of. `digest` covers the file and the files that it includes."""

    kind: Kind
    path: str
    digest: str


def find_lock(model: Model, read: Read) -> Lock | None:
    """`requirements:`, else uv.lock, requirements.txt, or a pyproject.toml with dependencies.

    `read` gives a file of the project by its relative path, from the work tree or from a commit.
    Raises ConfigError when the configuration names a file that is not there.
    """
    if model.requirements is not None:
        content = read(model.requirements)
        if content is None:
            raise ConfigError(
                f"requirements: there is no file {model.requirements!r}",
                where="mlops-ci.yaml, requirements",
                fix="create it, or remove the key to use the current Python",
            )
        return Lock(_kind_of(model.requirements), model.requirements, _digest(model, read))
    for name in ("uv.lock", "requirements.txt"):
        if read(name) is not None:
            return Lock(_kind_of(name), name, _digest_files(name, read))
    if _has_dependencies(read("pyproject.toml")):
        return Lock("pyproject", "pyproject.toml", _digest_files("pyproject.toml", read))
    return None


def _kind_of(path: str) -> Kind:
    name = PurePosixPath(path).name
    return "uv" if name == "uv.lock" else "pyproject" if name.endswith(".toml") else "requirements"


def _digest(model: Model, read: Read) -> str:
    return _digest_files(model.requirements or "", read)


def _digest_files(path: str, read: Read) -> str:
    total = hashlib.sha256()
    todo, seen = [path], set[str]()
    while todo and len(seen) < MAX_INCLUDES:
        name = todo.pop(0)
        content = read(name)
        if name in seen or content is None:
            continue
        seen.add(name)
        total.update(f"{name}\0{len(content)}\0".encode() + content)
        if name.endswith((".txt", ".in")):
            folder = PurePosixPath(name).parent
            todo += [
                str(folder / found) for found in INCLUDE.findall(content.decode("utf-8", "replace"))
            ]
    return f"sha256:{total.hexdigest()}"


def _has_dependencies(content: bytes | None) -> bool:
    if content is None:
        return False
    try:
        return bool(tomllib.loads(content.decode()).get("project", {}).get("dependencies"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return False


def python_version(model: Model) -> str:
    """What the training key says of Python: the one asked for, else that of this process."""
    return model.python or platform.python_version()


def platform_name() -> str:
    return f"{platform.system()}-{platform.machine()}".lower()


@dataclass(frozen=True)
class Request:
    """`folder` holds the lock's file; `log` gets uv's words."""

    model: Model
    lock: Lock | None
    folder: Path
    workspace: Path
    log: Path


def ready_python(request: Request, engine: Engine, world: World, echo: Echo | None = None) -> Path:
    """The folder with the `python` to use, made first where it has to be.

    Raises UsageError without uv, CommandError when uv fails: with its words.
    """
    model, lock = request.model, request.lock
    if lock is None and model.python is None:
        return Path(sys.executable).parent
    name = hashlib.sha256(
        f"{lock.digest if lock else ''}|{python_version(model)}|{platform_name()}".encode()
    ).hexdigest()[:24]
    user = user_for(request.workspace, world.environ)
    place = cache_folder(world, user) / "environments" / name
    if (place / COMPLETE).exists():
        return place / "bin"
    make_folder(place.parent, user)
    with _locked(place.parent / f"{name}.lock"):
        if not (place / COMPLETE).exists():
            shutil.rmtree(place, ignore_errors=True)
            _make(place, request, engine, world, echo)
            (place / COMPLETE).touch()
    return place / "bin"


def cache_folder(world: World, user: tuple[int, int] | None = None) -> Path:
    """In the home that the command's user has: uv runs as them and writes there."""
    home = Path(world.environ.get("HOME") or Path.home())
    if user is not None:
        home = home_of(user, str(home))
    return Path(world.environ.get("XDG_CACHE_HOME") or home / ".cache") / "mlops-ci"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def uv_program(world: World) -> list[str]:
    found = shutil.which("uv", path=world.environ.get("PATH"))
    beside = Path(sys.executable).parent / "uv"
    if found is None and not beside.exists():
        raise UsageError(
            "uv is needed to make the environment of your requirements, and is not installed",
            fix="pip install 'mlops-ci[train]'",
        )
    return [found or str(beside)]


def _make(place: Path, request: Request, engine: Engine, world: World, echo: Echo | None) -> None:
    uv = uv_program(world)
    version = request.model.python or sys.executable
    steps = [[*uv, "venv", "--quiet", "--python", version, str(place)]]
    lock = request.lock
    if lock is not None and lock.kind == "uv":
        listed = place / "requirements.txt"
        project = str((request.folder / lock.path).parent)
        export = ["export", "--quiet", "--frozen", "--no-emit-project", "--project", project]
        steps.append([*uv, *export, "--output-file", str(listed)])
        steps.append([*uv, "pip", "install", "--python", str(place), "-r", str(listed)])
    elif lock is not None:
        steps.append([*uv, "pip", "install", "--python", str(place), "-r", lock.path])
    for argv in steps:
        _run(argv, request, engine, echo)


def _run(argv: list[str], request: Request, engine: Engine, echo: Echo | None) -> None:
    job = Job(
        run_id="environment",
        argv=argv,
        folder=request.folder,
        workspace=request.workspace,
        log=request.log,
        secrets=request.model.secrets,
    )
    ended = engine.run(job, echo)
    if ended.code != 0:
        raise CommandError(
            f"the environment could not be made: uv ended with {ended.code}",
            code=ended.code,
            tail=ended.tail,
            where=request.lock.path if request.lock else "python",
            fix="mend that file, or bring what it needs (an index, its keys under `secrets:`)",
        )

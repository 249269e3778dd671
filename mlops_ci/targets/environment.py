"""A Python environment with what a model needs, for the target without images."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from mlops_ci.errors import CommandError, ServiceError
from mlops_ci.images.recipe import Recipe
from mlops_ci.world import Command, Finished, World

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
SETTINGS = ("UV_", "PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy")
MARK = ".complete"
TAIL = 3000


def ready_environment(recipe: Recipe, world: World) -> Path:
    """Its Python, made once per recipe.

    Raises CommandError when the packages cannot be installed, ServiceError without uv.
    """
    folder = environments_folder(world) / recipe.key
    python = folder / "bin" / "python"
    if (folder / MARK).is_file():
        return python
    uv = _find_uv(world)
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    version = recipe.base.removeprefix("python:").partition("-")[0]
    world.say(f"installing the model's requirements with Python {version}: once for these")
    _run(world, uv, "venv", "--quiet", "--python", version, str(folder))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(recipe.requirements)
        file.flush()
        _run(world, uv, "pip", "install", "--quiet", "--python", str(python), "-r", file.name)
    (folder / MARK).touch()
    return python


def environments_folder(world: World) -> Path:
    home = world.environ.get("XDG_CACHE_HOME") or f"{world.environ.get('HOME', '/tmp')}/.cache"  # noqa: S108
    return Path(home) / "mlops-ci" / "environments"


def server_environment(world: World) -> dict[str, str]:
    """What the model's process may know: none of our keys."""
    return {name: world.environ[name] for name in PASSED_ON if name in world.environ}


def _find_uv(world: World) -> str:
    try:
        import uv

        return str(uv.find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv", path=world.environ.get("PATH"))
    if found is None:
        raise ServiceError(
            "uv is not installed: the model's requirements cannot be installed",
            fix="pip install 'mlops-ci[train]'",
        )
    return found


def _run(world: World, *argv: str) -> Finished:
    settings = {n: v for n, v in world.environ.items() if n.startswith(SETTINGS)}
    env = server_environment(world) | settings
    done = world.run_command(Command(argv, env=env, merge_stderr=True))
    if done.code != 0:
        tail = done.text[-TAIL:]
        raise CommandError(
            f"the model's requirements cannot be installed:\n{tail}",
            code=done.code,
            tail=tail,
            where="requirements.txt in the model folder",
        )
    return done

"""The dependencies image: built once per recipe, then found by its key.

Looked for in the registry, then in this machine's cache; only then a Docker engine builds it.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mlops_ci.errors import CommandError, ServiceError
from mlops_ci.images.layer import BLOCK, OCI_LAYER_GZIP
from mlops_ci.images.layout import Layout
from mlops_ci.images.manifest import Image, pull_image, read_image
from mlops_ci.images.recipe import Recipe
from mlops_ci.images.registry import Repository
from mlops_ci.world import World

LABEL = "io.github.mlops-ci.dependencies"
INDEX_VARIABLES = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
COMPRESSION = 4  # of 9: half the time of the default for 3 % more bytes
TAIL = 40


@dataclass(frozen=True)
class Dependencies:
    """`layout` holds the blobs; None: they are in the registry already. `found` says where."""

    image: Image
    layout: Layout | None
    found: str


def find_dependencies(
    recipe: Recipe, repository: Repository, connect: Any, world: World
) -> Dependencies:
    """`connect` opens a docker-py client; it is called only when the image must be built.

    Raises CommandError when the packages cannot be installed, ServiceError without an engine.
    """
    image = _in_registry(recipe, repository, world)
    if image is not None:
        return Dependencies(image, None, "registry")
    cached = Layout(cache_folder(world) / recipe.key)
    image = _in_cache(cached, recipe)
    if image is not None:
        return Dependencies(image, cached, "cache")
    with connect() as client:
        name = build_image(client, recipe, world)
        image = export_image(client, name, cached, recipe.tag)
    return Dependencies(image, cached, "built")


def cache_folder(world: World) -> Path:
    home = world.environ.get("XDG_CACHE_HOME") or str(
        Path(world.environ.get("HOME", tempfile.gettempdir())) / ".cache"
    )
    return Path(home) / "mlops-ci" / "dependencies"


def _in_registry(recipe: Recipe, repository: Repository, world: World) -> Image | None:
    """A registry that does not answer now is not needed now: `push` will say what is wrong."""
    try:
        image = pull_image(repository, recipe.tag, recipe.architecture)
    except ServiceError as error:
        world.say(f"the registry was not asked for the dependencies image: {error.what}")
        return None
    return image if image is not None and _is_of(image, recipe) else None


def _in_cache(layout: Layout, recipe: Recipe) -> Image | None:
    digest = layout.tagged().get(recipe.tag)
    if digest is None:
        return None
    manifest = layout.read(digest)
    image = read_image(manifest, layout.read(json.loads(manifest)["config"]["digest"]))
    whole = all(layout.has(str(layer["digest"])) for layer in image.layers)
    return image if whole and _is_of(image, recipe) else None


def _is_of(image: Image, recipe: Recipe) -> bool:
    """A tag can be moved by others; the label inside says what the image was built from."""
    labels = (image.config.get("config") or {}).get("Labels") or {}
    return labels.get(LABEL) == recipe.key


def build_image(client: Any, recipe: Recipe, world: World) -> str:
    """Returns the image's name in the engine, where it is found again by the recipe's key."""
    import docker

    name = f"mlops-ci/dependencies:{recipe.key}"
    try:
        client.images.get(name)
    except docker.errors.ImageNotFound:
        world.say(f"building the dependencies image on {recipe.base}: once for these requirements")
        _build(client, name, recipe, world)
    return name


def _build(client: Any, name: str, recipe: Recipe, world: World) -> None:
    arguments = {key: world.environ[key] for key in INDEX_VARIABLES if world.environ.get(key)}
    said: list[str] = []
    failed = ""
    for event in client.api.build(
        fileobj=_context(recipe),
        custom_context=True,
        tag=name,
        rm=True,
        forcerm=True,
        buildargs=arguments,
        labels={LABEL: recipe.key},
        decode=True,
    ):
        said.append(str(event.get("stream") or event.get("status") or ""))
        failed = str(event.get("error") or failed)
    if failed:
        tail = "\n".join("".join(said).splitlines()[-TAIL:])
        if "manifest unknown" in failed or "pull access denied" in failed or "lookup" in failed:
            raise ServiceError(
                f"the base image {recipe.base} cannot be had: {failed}",
                fix=f"docker pull {recipe.base}",
            )
        raise CommandError(
            f"the model's requirements cannot be installed: {failed}\n{tail}",
            tail=tail,
            where="requirements.txt in the model folder",
            fix="install them on a fresh machine of the same Python to see the same:\n"
            "    uv venv && uv pip install -r requirements.txt",
        )


def _context(recipe: Recipe) -> IO[bytes]:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, text in (
            ("Dockerfile", recipe.dockerfile),
            ("requirements.txt", recipe.requirements),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    out.seek(0)
    return out


def export_image(client: Any, name: str, layout: Layout, tag: str) -> Image:
    """Out of the engine into a layout, its layers compressed."""
    layout.blobs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=layout.folder) as file:
        for block in client.api.get_image(name, chunk_size=BLOCK):
            file.write(block)
        file.seek(0)
        image = _unpack(file, layout)
    manifest = layout.put(image.manifest_bytes)
    layout.put(image.config_bytes)
    layout.write_index({tag: manifest})
    return image


def _unpack(file: IO[bytes], layout: Layout) -> Image:
    """`docker save`: manifest.json names the configuration and one tar per layer."""
    with tarfile.open(fileobj=file) as tar:
        entry = json.loads(_member(tar, "manifest.json").read())[0]
        config = json.loads(_member(tar, entry["Config"]).read())
        paths: Sequence[str] = entry["Layers"]
        with ThreadPoolExecutor(2) as pool:
            spooled = (_spool(tar, path, layout) for path in paths)
            layers = list(pool.map(lambda path: _compress(path, layout), spooled))
    return Image(config, tuple(layers))


def _member(tar: tarfile.TarFile, path: str) -> IO[bytes]:
    found = tar.extractfile(path)
    if found is None:
        raise ServiceError(f"the engine's export holds no {path}")
    return found


def _spool(tar: tarfile.TarFile, path: str, layout: Layout) -> Path:
    handle = tempfile.NamedTemporaryFile(dir=layout.folder, prefix=".layer.", delete=False)  # noqa: SIM115
    with handle:
        shutil.copyfileobj(_member(tar, path), handle, BLOCK)
    return Path(handle.name)


def _compress(path: Path, layout: Layout) -> dict[str, Any]:
    """A layer's blob; an engine that exports compressed ones is taken at its word."""
    packed = path.with_name(f"{path.name}.gz")
    try:
        with path.open("rb") as source, packed.open("wb") as out:
            if source.peek(2)[:2] == b"\x1f\x8b":
                shutil.copyfileobj(source, out, BLOCK)
            else:
                with gzip.GzipFile("", "wb", COMPRESSION, out, mtime=0) as zipped:
                    shutil.copyfileobj(source, zipped, BLOCK)
        digest, size = _file_digest(packed), packed.stat().st_size
        packed.replace(layout.path(digest))
    finally:
        path.unlink()
        packed.unlink(missing_ok=True)
    return {"mediaType": OCI_LAYER_GZIP, "digest": digest, "size": size}


def _file_digest(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"

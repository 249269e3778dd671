"""The image of one model: its dependencies, our server, the model; in an OCI layout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mlops_ci
from mlops_ci.images.dependencies import Dependencies
from mlops_ci.images.layer import Entry, folder_entries
from mlops_ci.images.layout import Layout
from mlops_ci.images.manifest import Addition, Image, append

MODEL = "opt/mlops-ci/model"
LIBRARY = "opt/mlops-ci/lib"
PORT = 8080
USER = "65532:65532"
MODEL_DIGEST_LABEL = "io.github.mlops-ci.model-digest"
MODEL_LABEL = "io.github.mlops-ci.model"


@dataclass(frozen=True)
class Contents:
    """`digest` is the model folder's, as it was evaluated; `created` of the commit, RFC 3339."""

    model: str
    folder: Path
    digest: str
    commit: str
    created: str
    source: str | None = None


def labels_of(contents: Contents) -> dict[str, str]:
    labels = {
        "org.opencontainers.image.title": contents.model,
        "org.opencontainers.image.revision": contents.commit,
        "org.opencontainers.image.version": contents.commit[:12],
        "org.opencontainers.image.created": contents.created,
        MODEL_LABEL: contents.model,
        MODEL_DIGEST_LABEL: contents.digest,
    }
    if contents.source:
        labels["org.opencontainers.image.source"] = contents.source
    return labels


def server_entries() -> list[Entry]:
    """Our `serve`, and the package around it without anything else of ours."""
    package = Path(mlops_ci.__file__).parent / "serve"
    modules = [Entry(f"{LIBRARY}/mlops_ci/serve/{p.name}", p) for p in package.glob("*.py")]
    return [Entry(f"{LIBRARY}/mlops_ci/__init__.py"), *modules]


def assemble(contents: Contents, dependencies: Dependencies, layout: Layout, tag: str) -> Image:
    """Write the layout. Tags in it: the dependencies image's own, and `tag` for the model's."""
    below = {} if dependencies.layout is None else layout.take(dependencies.layout)
    server = layout.put_layer(server_entries())
    model = layout.put_layer(folder_entries(contents.folder, MODEL))
    image = append(
        dependencies.image,
        Addition(
            layers=(
                (server, "mlops-ci: the model server"),
                (model, f"mlops-ci: {contents.digest}"),
            ),
            settings={
                "Entrypoint": ["/opt/venv/bin/python", "-m", "mlops_ci.serve"],
                "Cmd": [],
                "User": USER,
                "WorkingDir": "/tmp",  # noqa: S108 - the one place where the model may write
                "ExposedPorts": {f"{PORT}/tcp": {}},
                "StopSignal": "SIGTERM",
            },
            environment=_environment(contents),
            labels=labels_of(contents),
            created=contents.created,
        ),
    )
    layout.put(image.config_bytes)
    layout.write_index({**below, tag: layout.put(image.manifest_bytes)})
    return image


def _environment(contents: Contents) -> dict[str, str]:
    return {
        "PYTHONPATH": f"/{LIBRARY}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PORT": str(PORT),
        "OMP_NUM_THREADS": "1",
        "MLOPS_CI_MODEL_FOLDER": f"/{MODEL}",
        "MLOPS_CI_MODEL_NAME": contents.model,
        "MLOPS_CI_MODEL_DIGEST": contents.digest,
    }

"""Registries that deny, that ask for a token, that are not there, that lose the connection."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.errors import AccessError, ServiceError
from mlops_ci.images.credentials import Login
from mlops_ci.images.layer import Entry
from mlops_ci.images.layout import Layout
from mlops_ci.images.manifest import Image, pull_image
from mlops_ci.images.name import parse_image
from mlops_ci.images.registry import DOCKER_MANIFEST, Repository, digest_of
from mlops_ci.images.shipment import ship
from mlops_ci.world import World
from tests.machine.ports import free_port
from tests.machine.registry import GuardedRegistry


def small_image(folder: Path, text: bytes = b"hello") -> tuple[Layout, str]:
    layout = Layout(folder)
    layer = layout.put_layer([Entry("hello.txt", content=text)])
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
    }
    image = Image(config, (dict(layer.descriptor),))
    layout.put(image.config_bytes)
    digest, size = layout.put(image.manifest_bytes)
    layout.write_index({"one": (digest, size)})
    return layout, digest


def repository(host: str, login: Login | None, world: World) -> Repository:
    return Repository(parse_image(f"{host}/acme/small"), login, world)


def test_a_password_opens_and_none_does_not(
    guarded: GuardedRegistry, world: World, tmp_path: Path
) -> None:
    host, right = guarded.host, Login(guarded.username, guarded.password)
    layout, digest = small_image(tmp_path)
    for login in (None, Login(guarded.username, "wrong")):
        with repository(host, login, world) as denied, pytest.raises(AccessError) as caught:
            ship(layout, digest, ["one"], denied)
        assert caught.value.exit_code == 5
        assert f"docker login {host}" in str(caught.value)
        assert "wrong" not in str(caught.value)
    with repository(host, right, world) as opened:
        assert ship(layout, digest, ["one"], opened).uploaded > 0
        assert ship(layout, digest, ["one"], opened).uploaded == 0
        assert opened.tag_digest("one") == digest
        assert opened.tag_digest("two") is None
        pulled = pull_image(opened, "one", "amd64")
    assert pulled is not None
    assert pulled.config["architecture"] == "amd64"


def test_login_from_docker_s_own_file(
    guarded: GuardedRegistry, world: World, tmp_path: Path
) -> None:
    from mlops_ci.images.registry import open_repository

    auth = base64.b64encode(f"{guarded.username}:{guarded.password}".encode()).decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {guarded.host: {"auth": auth}}}))
    knowing = replace(world, environ={**world.environ, "DOCKER_CONFIG": str(tmp_path)})
    layout, digest = small_image(tmp_path / "image")
    with open_repository(parse_image(f"{guarded.host}/acme/small"), knowing) as opened:
        ship(layout, digest, [], opened)
        assert opened.manifest(digest) is not None


def test_a_registry_that_is_not_there(world: World, tmp_path: Path) -> None:
    layout, digest = small_image(tmp_path)
    started = time.monotonic()
    with (
        repository(f"127.0.0.1:{free_port()}", None, world) as gone,
        pytest.raises(ServiceError, match="cannot be reached") as caught,
    ):
        ship(layout, digest, ["one"], gone)
    assert caught.value.exit_code == 4
    assert time.monotonic() - started < 5


def test_docker_s_manifest_becomes_the_oci_s(registry: str, world: World, tmp_path: Path) -> None:
    layout, digest = small_image(tmp_path)
    with repository(registry, None, world) as opened:
        ship(layout, digest, [], opened)
        oci = json.loads(layout.read(digest))
        oci["mediaType"] = DOCKER_MANIFEST
        oci["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json"
        oci["layers"][0]["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip"
        opened.put_manifest("docker", json.dumps(oci).encode(), DOCKER_MANIFEST)
        image = pull_image(opened, "docker", "amd64")
    assert image is not None
    assert image.layers[0]["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"


class Fussy(BaseHTTPRequestHandler):
    """A registry with bearer tokens, that answers 503 once and breaks the first upload."""

    protocol_version = "HTTP/1.1"
    state: dict[str, Any]

    def log_message(self, *_: Any) -> None:
        pass

    def _send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _handle(self) -> None:
        state = self.state
        length = int(self.headers.get("Content-Length") or 0)
        host = self.headers["Host"]
        if self.path.startswith("/token"):
            state["logins"].append(self.headers.get("Authorization"))
            return self._send(200, json.dumps({"token": "t0ken"}).encode())
        if self.path.startswith("/upload") and not state["broken"]:
            state["broken"] = True
            self.rfile.read(min(length, 10))
            self.close_connection = True
            self.connection.close()
            return None
        body = self.rfile.read(length)
        if self.headers.get("Authorization") != "Bearer t0ken":
            challenge = f'Bearer realm="http://{host}/token",service="fussy",scope="repository:acme/small:pull,push"'
            return self._send(401, b"{}", WWW_Authenticate=challenge)
        if not state["busy"]:
            state["busy"] = True
            return self._send(503, b"busy", Retry_After="0")
        return self._registry(body)

    def _registry(self, body: bytes) -> None:
        blobs = self.state["blobs"]
        last = "digest=" if "digest=" in self.path else "/"
        digest = self.path.rpartition(last)[2]
        if self.command == "HEAD":
            return self._send(200 if digest in blobs else 404)
        if self.command == "GET":
            return self._send(200, b"{}", Content_Type="application/json")
        if self.command == "POST":
            return self._send(202, Location="/upload/1?x=y")
        if self.path.startswith("/upload"):
            digest = digest.replace("%3A", ":")
        blobs[digest] = body
        return self._send(201)

    do_GET = do_HEAD = do_POST = do_PUT = _handle  # noqa: N815 - the base class's names


@contextmanager
def fussy() -> Iterator[tuple[str, dict[str, Any]]]:
    state: dict[str, Any] = {"blobs": {}, "logins": [], "busy": False, "broken": False}
    handler = type("Handler", (Fussy,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_tokens_busy_answers_and_a_broken_upload(world: World, tmp_path: Path) -> None:
    layout, digest = small_image(tmp_path, b"x" * 100_000)
    quick = replace(world, sleep=lambda _: None)
    with fussy() as (host, state), repository(host, Login("maria", "secret"), quick) as opened:
        ship(layout, digest, ["one"], opened)
    assert state["broken"]
    assert state["logins"] == ["Basic " + base64.b64encode(b"maria:secret").decode()]
    assert state["blobs"]["one"] == layout.read(digest)
    for name, content in state["blobs"].items():
        assert name == "one" or digest_of(content) == name


def test_an_answer_with_other_bytes_is_refused(world: World) -> None:
    with fussy() as (host, state):
        state["blobs"]["x"] = b""
        wrong = "sha256:" + hashlib.sha256(b"other").hexdigest()
        state["busy"] = True
        with (
            repository(host, None, replace(world, sleep=lambda _: None)) as opened,
            pytest.raises(ServiceError, match="other bytes"),
        ):
            opened.manifest(wrong)


def test_loopback_only_without_encryption() -> None:
    assert parse_image("ghcr.io/acme/x").address == "https://ghcr.io"
    assert parse_image("10.0.0.1:5000/acme/x").address.startswith("https://")

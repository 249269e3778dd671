"""Whose login is used, and for which host."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from mlops_ci.images.credentials import PASSWORD, USERNAME, Login, find_login
from mlops_ci.world import Command, Finished, World


def world(folder: Path, config: object = None, **environ: str) -> World:
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return World(environ={"DOCKER_CONFIG": str(folder), **environ}, folder=folder)


AUTH = base64.b64encode(b"maria:se:cret").decode()


def test_ours_goes_first(tmp_path: Path) -> None:
    keys = {"MLOPS_CI_REGISTRY_USERNAME": "a", "MLOPS_CI_REGISTRY_PASSWORD": "b"}
    found = find_login("x.io", world(tmp_path, {"auths": {"x.io": {"auth": AUTH}}}, **keys))
    assert found == Login("a", "b")


def test_docker_login_s_file(tmp_path: Path) -> None:
    here = world(tmp_path, {"auths": {"x.io": {"auth": AUTH}}})
    assert find_login("x.io", here) == Login("maria", "se:cret")
    assert find_login("y.io", here) is None
    hub = world(tmp_path, {"auths": {"https://index.docker.io/v1/": {"auth": AUTH}}})
    assert find_login("docker.io", hub) == Login("maria", "se:cret")


def test_a_helper_is_asked(tmp_path: Path) -> None:
    asked: list[Command] = []

    def run(command: Command) -> Finished:
        asked.append(command)
        return Finished(0, b'{"Username": "<token>", "Secret": "s"}', b"", 0.0)

    (tmp_path / "config.json").write_text('{"credHelpers": {"x.io": "pass"}}')
    here = World(environ={"DOCKER_CONFIG": str(tmp_path)}, folder=tmp_path, run_command=run)
    assert find_login("x.io", here) == Login("", "", identity_token="s")
    assert asked[0].argv == ("docker-credential-pass", "get")
    assert asked[0].stdin == b"x.io"


def test_github_s_token_is_for_github_alone(tmp_path: Path) -> None:
    here = world(tmp_path, GITHUB_TOKEN="ghs_x", GITHUB_ACTOR="maria")
    assert find_login("ghcr.io", here) == Login("maria", "ghs_x")
    assert find_login("ghcr.io.example.org", here) is None
    assert find_login("docker.io", here) is None


def test_keys_that_nobody_set_reach_a_job_as_empty_texts(tmp_path: Path) -> None:
    nothing = {USERNAME: "", PASSWORD: ""}
    here = world(tmp_path, INPUT_TOKEN="ghs_x", GITHUB_ACTOR="maria", **nothing)
    assert find_login("ghcr.io", here) == Login("maria", "ghs_x")
    assert find_login("x.io", here) is None


def test_broken_files_are_no_login(tmp_path: Path) -> None:
    for content in ("[]", "{", '{"auths": {"x.io": {"auth": "!!"}}}', '{"auths": {"x.io": 5}}'):
        (tmp_path / "config.json").write_text(content)
        assert find_login("x.io", world(tmp_path)) is None


def test_secrets_do_not_show() -> None:
    assert "hunter2" not in repr(Login("maria", "hunter2", "hunter2"))

"""Attachments and artifacts, on a GitHub on loopback."""

from __future__ import annotations

import io
import time
import zipfile

import pytest
import requests

from mlops_ci.errors import AccessError, ServiceError, UsageError
from mlops_ci.github.artifacts import Artifacts, archive, open_artifacts, run_of
from mlops_ci.github.attachments import Attachments, place_of_uploads
from mlops_ci.github.patience import Patience, Trouble
from tests.github_server.server import GitHub
from tests.github_server.uploads import runner_token

ONE, TWO = b"\x89PNG\r\n\x1a\n one", b"\x89PNG\r\n\x1a\n two"
NOW = 1_800_000_000.0


def patience() -> Patience:
    return Patience(lambda seconds: time.sleep(min(seconds, 0.02)), lambda: 0.5)


def attachments(github: GitHub, token: str) -> Attachments:
    number = github.state.repository("acme/churn").id
    return Attachments(github.url, token, number, github.url, patience(), NOW)


def artifacts(github: GitHub, token: str = "") -> Artifacts:
    token = token or runner_token(github.state.repository("acme/churn"), 4711)
    return Artifacts(f"{github.url}/", token, patience(), NOW)


def test_an_attachment_can_be_seen_and_equal_ones_are_sent_once(github: GitHub) -> None:
    one, two, again = attachments(github, "pat-maintainer").publish([ONE, TWO, ONE])
    assert one == again != two
    assert [requests.get(url, timeout=10).content for url in (one, two)] == [ONE, TWO]
    assert len(github.state.uploads) == 2


@pytest.mark.parametrize("token", ["workflow-token", "app-token", "pat-reader", "nobody's"])
def test_only_a_person_who_may_write_can_attach(github: GitHub, token: str) -> None:
    with pytest.raises(AccessError) as raised:
        attachments(github, token).publish([ONE])
    assert "MLOPS_CI_ATTACHMENTS_TOKEN" in str(raised.value)
    assert token not in str(raised.value)
    assert github.state.uploads == {}


@pytest.mark.parametrize("kind", ["drop-before", "drop-after", "status-after", "html", "truncated"])
def test_a_lost_answer_is_asked_for_again(github: GitHub, kind: str) -> None:
    fault = github.fault(kind, "POST", "/user-attachments/.*", count=1)
    (address,) = attachments(github, "pat-maintainer").publish([ONE])
    assert fault.met == 1
    assert requests.get(address, timeout=10).content == ONE


def test_enterprise_server_takes_no_attachments() -> None:
    with pytest.raises(UsageError, match="plots: branch"):
        place_of_uploads({"GITHUB_API_URL": "https://github.acme.example/api/v3"})


@pytest.mark.parametrize(
    ("api", "place"),
    [
        ("", "https://uploads.github.com"),
        ("https://api.github.com/", "https://uploads.github.com"),
        ("https://api.acme.ghe.com", "https://uploads.acme.ghe.com"),
    ],
)
def test_uploads_go_to_the_host_beside_the_api(api: str, place: str) -> None:
    assert place_of_uploads({"GITHUB_API_URL": api}) == place


def test_an_address_elsewhere_is_no_attachment(github: GitHub) -> None:
    made = attachments(github, "pat-maintainer")
    with pytest.raises(Trouble, match="no address on this GitHub"):
        Attachments(
            made.place, made.token, made.repository_id, "https://github.com", patience(), NOW
        ).publish([ONE])


def test_a_key_never_leaves_without_tls(github: GitHub) -> None:
    made = attachments(github, "pat-maintainer")
    with pytest.raises(Trouble, match="https"):
        Attachments(
            "http://uploads.example.org", made.token, 1, "http://example.org", patience(), NOW
        ).publish([ONE])


def test_an_artifact_holds_the_files(github: GitHub) -> None:
    files = {"report.html": b"<html>", "churn/roc-light.png": ONE}
    number = artifacts(github).publish("mlops-ci-plots-1", files)
    kept = github.state.repository("acme/churn").artifacts[number]
    assert (kept["run"], kept["name"]) == (4711, "mlops-ci-plots-1")
    with zipfile.ZipFile(io.BytesIO(kept["zip"])) as found:
        assert {name: found.read(name) for name in found.namelist()} == files


def test_a_name_is_taken_once(github: GitHub) -> None:
    artifacts(github).publish("plots", {"a": b"a"})
    with pytest.raises((Trouble, ServiceError)):
        artifacts(github).publish("plots", {"a": b"a"})


@pytest.mark.parametrize("path", [".*/CreateArtifact", "/_blobs/.*", ".*/FinalizeArtifact"])
def test_a_refusal_is_told_and_holds_no_signed_address(github: GitHub, path: str) -> None:
    github.fault("html", ".*", path, status=403, count=9)
    with pytest.raises(Trouble) as raised:
        artifacts(github).publish("plots", {"a": b"a"})
    assert "sig=" not in f"{raised.value} {raised.value.said}"


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.e30.c", "a.eyJzY3AiOiAieCJ9.c"])
def test_a_token_without_a_run_is_refused(token: str) -> None:
    with pytest.raises(Trouble, match="token"):
        run_of(token)


def test_outside_of_an_action_there_is_no_key() -> None:
    with pytest.raises(AccessError, match="uses: mlops-ci/mlops-ci"):
        open_artifacts({"ACTIONS_RESULTS_URL": "https://example.org"}, patience(), NOW)


def test_the_same_files_are_the_same_archive() -> None:
    assert archive({"a": b"1", "b": b"2"}) == archive({"b": b"2", "a": b"1"})

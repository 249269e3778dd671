"""An artifact of the run, by the service that actions/upload-artifact speaks to: two calls around
an upload to a signed address. The key is the one that the runner gives every action; the job's
token needs no right, so it works for forks too.
https://github.com/actions/toolkit/tree/main/packages/artifact
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from mlops_ci.errors import DOCS, AccessError
from mlops_ci.github.patience import Patience, Trouble
from mlops_ci.github.uploads import Parcel, deliver

SERVICE = "twirp/github.actions.results.api.v1.ArtifactService"
SCOPE = "Actions.Results:"
VERSION = 4  # of artifacts: one archive, which nobody changes afterwards
EPOCH = (1980, 1, 1, 0, 0, 0)  # of a zip's entries: the same files give the same bytes


@dataclass(frozen=True)
class Artifacts:
    """`token` is the runner's. `now` is seconds since 1970."""

    place: str
    token: str
    patience: Patience
    now: float

    def publish(self, name: str, files: Mapping[str, bytes]) -> int:
        """The artifact's number. Raises Trouble and ServiceError as `deliver` does."""
        content = archive(files)
        named = {**self._run(), "name": name}
        made = self._ask("CreateArtifact", {**named, "version": VERSION})
        signed = made.get("signed_upload_url") or made.get("signedUploadUrl")
        if not made.get("ok") or not isinstance(signed, str):
            raise Trouble("refused", "the artifact was not created")
        kind = {"Content-Type": "application/zip", "x-ms-blob-type": "BlockBlob"}
        sent = Parcel("PUT", signed, content, kind, told=False)
        deliver(sent, self.patience, self.now)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        told = {**named, "size": str(len(content)), "hash": digest}
        ended = self._ask("FinalizeArtifact", told)
        number = str(ended.get("artifact_id") or ended.get("artifactId") or "")
        if not ended.get("ok") or not number.isdecimal():
            raise Trouble("refused", "the artifact was not completed")
        return int(number)

    def _run(self) -> dict[str, str]:
        run, job = run_of(self.token)
        return {"workflow_run_backend_id": run, "workflow_job_run_backend_id": job}

    def _ask(self, method: str, body: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        url = f"{self.place.rstrip('/')}/{SERVICE}/{method}"
        parcel = Parcel("POST", url, msgspec.json.encode(body), headers)
        return deliver(parcel, self.patience, self.now)


def open_artifacts(environ: Mapping[str, str], patience: Patience, now: float) -> Artifacts:
    """Raises AccessError outside of a runner's action."""
    place, token = environ.get("ACTIONS_RESULTS_URL"), environ.get("ACTIONS_RUNTIME_TOKEN")
    if not place or not token:
        raise AccessError(
            "plots: artifact: the runner gives no key for artifacts",
            where="ACTIONS_RESULTS_URL, ACTIONS_RUNTIME_TOKEN",
            fix="run mlops-ci as an action (`uses: mlops-ci/mlops-ci@v0`), not in a `run:` step; "
            "GitHub Enterprise\nServer has no such artifacts: choose `plots: branch` there",
            link=f"{DOCS}/config.md",
        )
    return Artifacts(place, token, patience, now)


def archive(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for path, content in sorted(files.items()):
            made.writestr(zipfile.ZipInfo(path, EPOCH), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def run_of(token: str) -> tuple[str, str]:
    """What the service calls the run and the job: they stand in the runner's token, unread by
    anybody else. Raises Trouble for a token of another kind."""
    claims = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        text = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))
        scopes = str(msgspec.json.decode(text, type=dict[str, Any]).get("scp", "")).split()
    except (ValueError, msgspec.MsgspecError) as error:
        raise Trouble("refused", "the runner's token cannot be read") from error
    found = next((one.removeprefix(SCOPE) for one in scopes if one.startswith(SCOPE)), "")
    run, colon, job = found.partition(":")
    if not run or not colon or not job or ":" in job:
        raise Trouble("refused", "the runner's token names no run")
    return run, job

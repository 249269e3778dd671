"""Pictures as attachments, like those that people drop into a comment: whoever may read the
repository sees them, also where it is private.

GitHub takes them from people alone: the job's own token and an App's are answered 404, so the key
is a personal access token in MLOPS_CI_ATTACHMENTS_TOKEN. There is no way to delete one again, and
GitHub Enterprise Server takes none. The endpoint is the one of `gh pr comment --attach`.
https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/attaching-files
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from mlops_ci.errors import DOCS, AccessError, UsageError
from mlops_ci.github.client import PUBLIC_API
from mlops_ci.github.patience import Patience, Trouble
from mlops_ci.github.uploads import Parcel, deliver

TOKEN = "MLOPS_CI_ATTACHMENTS_TOKEN"  # noqa: S105 - the name of the variable that holds it
ENTERPRISE = "/api/v3"


@dataclass(frozen=True)
class Attachments:
    """`repository_id` is GitHub's number of the repository; `web` its GITHUB_SERVER_URL; `place`
    where uploads are taken. `now` is seconds since 1970."""

    place: str
    token: str
    repository_id: int
    web: str
    patience: Patience
    now: float

    def publish(self, contents: Sequence[bytes]) -> list[str]:
        """Addresses of PNG pictures, in the order given; equal ones are uploaded once. Raises
        AccessError where the token may not, Trouble and ServiceError as `deliver` does."""
        found: dict[bytes, str] = {}
        for content in contents:
            if content not in found:
                found[content] = self._upload(content)
        return [found[content] for content in contents]

    def _upload(self, content: bytes) -> str:
        query = {
            "name": f"{hashlib.sha256(content).hexdigest()[:16]}.png",
            "content_type": "image/png",
            "repository_id": str(self.repository_id),
        }
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/octet-stream",
        }
        parcel = Parcel("POST", f"{self.place}/user-attachments/assets", content, headers, query)
        try:
            address = deliver(parcel, self.patience, self.now).get("url")
        except Trouble as trouble:
            if trouble.kind in {"missing", "denied"}:
                raise _denied(trouble) from trouble
            raise
        if not isinstance(address, str) or urlsplit(address)[:2] != urlsplit(self.web)[:2]:
            raise Trouble("refused", "the answer names no address on this GitHub")
        return address


def place_of_uploads(environ: Mapping[str, str]) -> str:
    """Beside the API: `uploads.github.com`, `uploads.acme.ghe.com`. Raises UsageError on GitHub
    Enterprise Server."""
    api = urlsplit((environ.get("GITHUB_API_URL") or PUBLIC_API).rstrip("/"))
    if api.path.endswith(ENTERPRISE):
        raise UsageError(
            "plots: attachments: GitHub Enterprise Server takes no attachments",
            where=f"GITHUB_API_URL {api.geturl()}",
            fix="plots: branch",
            link=f"{DOCS}/config.md",
        )
    host = api.netloc
    if host.startswith("api."):
        host = f"uploads.{host.removeprefix('api.')}"
    return urlunsplit((api.scheme, host, api.path, "", ""))


def no_token() -> AccessError:
    return AccessError(
        "plots: attachments: there is no token of a person, and GitHub takes attachments of nobody "
        "else",
        where=TOKEN,
        fix="make a fine-grained token of somebody who may write here (permission `contents: "
        "write`), keep it\nas a secret of the repository, and give it to the job; or choose "
        "`plots: branch`, which needs none:\n"
        f"    env:\n      {TOKEN}: ${{{{ secrets.{TOKEN} }}}}",
        link=f"{DOCS}/config.md",
    )


def _denied(trouble: Trouble) -> AccessError:
    return AccessError(
        f"the plots were not attached: {trouble.status} {trouble.said}".rstrip(),
        where=TOKEN,
        fix="GitHub answers so to a token that is not a person's (the job's own, an App's), to one "
        "that may not\nwrite this repository, and to one that is no longer valid",
        link=f"{DOCS}/config.md",
    )

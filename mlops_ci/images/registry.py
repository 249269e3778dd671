"""A client of the OCI distribution API, for what shipping an image needs of it.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import urljoin, urlsplit

from mlops_ci.errors import DOCS, AccessError, ServiceError
from mlops_ci.images.credentials import Login, find_login
from mlops_ci.images.name import DIGEST, ImageName
from mlops_ci.images.tokens import Authorization
from mlops_ci.world import World

if TYPE_CHECKING:
    import requests

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
ACCEPTED = f"{OCI_MANIFEST}, {OCI_INDEX}, {DOCKER_MANIFEST}, {DOCKER_LIST}"
MAX_DOCUMENT = 16 * 1024 * 1024
TRIES = 4
MAX_WAIT = 60.0
CONNECT_SECONDS, READ_SECONDS = 10, 300
BUSY = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Document:
    """A manifest or an index, as the registry has it."""

    content: bytes
    media_type: str
    digest: str


class Repository:
    """One repository of one registry.

    Every method raises ServiceError (exit code 4) when the registry cannot be reached or answers
    with a fault, AccessError (5) when it denies.
    """

    def __init__(self, name: ImageName, login: Login | None, world: World) -> None:
        import requests

        self.name = name
        self._world = world
        self._session = requests.Session()
        self._authorization = Authorization(name, login, self._session)
        self._base = f"{name.address}/v2/{name.repository}/"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def manifest(self, reference: str) -> Document | None:
        """By tag or digest; None when there is none. A digest is verified."""
        answer = self._ask("GET", f"manifests/{reference}", headers={"Accept": ACCEPTED})
        if answer.status_code == 404:
            return None
        self._expect(answer, 200)
        content = answer.content
        digest = digest_of(content)
        if DIGEST.fullmatch(reference) and digest != reference:
            raise ServiceError(
                f"the registry sent other bytes than asked for: {digest}",
                where=self.name.at(reference),
            )
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        return Document(content, kind, digest)

    def is_there(self) -> bool:
        """Whether anything was pushed to it yet."""
        answer = self._ask("GET", "tags/list?n=1")
        if answer.status_code == 404:
            return False
        self._expect(answer, 200)
        return True

    def tag_digest(self, tag: str) -> str | None:
        """What a tag points to now; None when there is no such tag."""
        answer = self._ask("HEAD", f"manifests/{tag}", headers={"Accept": ACCEPTED})
        if answer.status_code == 404:
            return None
        self._expect(answer, 200)
        digest = answer.headers.get("Docker-Content-Digest")
        if digest and DIGEST.fullmatch(digest):
            return digest
        found = self.manifest(tag)
        return found.digest if found else None

    def put_manifest(self, reference: str, content: bytes, media_type: str = OCI_MANIFEST) -> None:
        answer = self._ask(
            "PUT", f"manifests/{reference}", data=content, headers={"Content-Type": media_type}
        )
        self._expect(answer, 201)

    def blob(self, digest: str) -> bytes:
        """A small blob, verified."""
        answer = self._ask("GET", f"blobs/{digest}", stream=True)
        self._expect(answer, 200)
        content = answer.raw.read(MAX_DOCUMENT + 1, decode_content=True)
        if digest_of(content) != digest:
            raise ServiceError(
                "the registry sent other bytes than asked for", where=self.name.at(digest)
            )
        return bytes(content)

    def has_blob(self, digest: str) -> bool:
        answer = self._ask("HEAD", f"blobs/{digest}")
        if answer.status_code == 404:
            return False
        self._expect(answer, 200)
        return True

    def upload(
        self, digest: str, size: int, open_blob: Callable[[], IO[bytes]], mount: str | None = None
    ) -> bool:
        """Put a blob unless it is there; whether bytes went over the wire.

        `mount` is a repository of the same registry that may have it.
        """
        if self.has_blob(digest):
            return False
        for attempt in range(TRIES):
            place = self._begin_upload(digest, mount)
            if place is None:
                return False
            separator = "&" if urlsplit(place).query else "?"
            with open_blob() as content:
                answer = self._send_blob(f"{place}{separator}digest={digest}", content, size)
            if answer is not None and answer.status_code not in BUSY:
                self._expect(answer, 201)
                return True
            if attempt < TRIES - 1:
                self._wait(answer, attempt)
        raise self._unreachable(f"the upload of {digest} failed {TRIES} times")

    def _begin_upload(self, digest: str, mount: str | None) -> str | None:
        """Where to put the blob; None when it was mounted."""
        query = f"?mount={digest}&from={mount}" if mount else ""
        answer = self._ask("POST", f"blobs/uploads/{query}", headers={"Content-Length": "0"})
        if answer.status_code == 201:
            return None
        self._expect(answer, 202)
        return urljoin(answer.url, answer.headers["Location"])

    def _send_blob(self, url: str, content: IO[bytes], size: int) -> requests.Response | None:
        """None when the connection broke: the caller begins anew."""
        import requests

        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        own = urlsplit(url).netloc == urlsplit(self._base).netloc
        if own:
            headers |= self._authorization.header()
        try:
            return self._session.put(
                url,
                data=content,
                headers=headers,
                auth=_keep,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
            )
        except requests.RequestException:
            return None

    def _ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **extra: Any
    ) -> requests.Response:
        """One request that may be repeated, with a token fetched when the registry asks for one."""
        import requests

        url = urljoin(self._base, path)
        answer = None
        for attempt in range(TRIES):
            try:
                answer = self._once(method, url, dict(headers or {}), extra)
            except requests.RequestException as error:
                if attempt == TRIES - 1 or _refused(error):
                    raise self._unreachable(_reason(error)) from error
                self._wait(None, attempt)
                continue
            if answer.status_code not in BUSY or attempt == TRIES - 1:
                return answer
            self._wait(answer, attempt)
        raise self._unreachable("no answer")

    def _once(
        self, method: str, url: str, headers: dict[str, str], extra: Mapping[str, Any]
    ) -> requests.Response:
        limits = (CONNECT_SECONDS, READ_SECONDS)
        for again in (False, True):
            sent = headers | self._authorization.header()
            answer = self._session.request(
                method, url, headers=sent, auth=_keep, timeout=limits, **extra
            )
            if answer.status_code != 401 or again:
                return answer
            if not self._authorization.answer(answer.headers.get("WWW-Authenticate", "")):
                return answer
        return answer

    def _wait(self, answer: requests.Response | None, attempt: int) -> None:
        asked = answer.headers.get("Retry-After", "") if answer is not None else ""
        seconds = float(asked) if asked.isdigit() else 0.5 * 2**attempt
        if seconds > MAX_WAIT:
            raise self._unreachable(f"the registry asks to wait {seconds:.0f} s; try again later")
        self._world.sleep(seconds)

    def _expect(self, answer: requests.Response, status: int) -> None:
        if answer.status_code == status:
            return
        said = _words(answer)
        if answer.status_code in (401, 403):
            raise denied(self.name, said)
        raise ServiceError(
            f"the registry answered {answer.status_code} {answer.reason}: {said}",
            where=f"{answer.request.method} {urlsplit(answer.url).path} at {self.name.host}",
        )

    def _unreachable(self, why: str) -> ServiceError:
        return ServiceError(
            f"the registry {self.name.host} cannot be reached: {why}",
            where=str(self.name),
            fix="check the host in `image:`, the network and the registry, and run the step again: "
            "what was uploaded already is not uploaded twice",
        )


def denied(name: ImageName, said: str) -> AccessError:
    fix = "log in first, in the same environment:\n    docker login " + name.host
    if name.host == "ghcr.io":
        fix = (
            "give the job the permission, and the step the token:\n"
            "    permissions:\n      contents: read\n      packages: write\n"
            "and let the package's settings (Manage Actions access) name this repository"
        )
    return AccessError(
        f"the registry {name.host} denies access to {name.repository}: {said}",
        where=str(name),
        fix=f"{fix}\nor set MLOPS_CI_REGISTRY_USERNAME and MLOPS_CI_REGISTRY_PASSWORD",
        link=f"{DOCS}/security.md",
    )


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _words(answer: requests.Response) -> str:
    """The registry's own message: JSON with `errors`, or the first line of a text."""
    try:
        errors = answer.json().get("errors") or []
        return "; ".join(f"{e.get('code')}: {e.get('message', '')}" for e in errors) or "no reason"
    except (ValueError, AttributeError):
        return answer.text.strip().partition("\n")[0][:200] or "no reason"


REASONS = {
    "refused": "the connection was refused",
    "Name or service": "there is no host of this name",
    "CERTIFICATE_VERIFY": "its certificate is not trusted here (REQUESTS_CA_BUNDLE names others)",
    "timed out": "it did not answer in time",
    "Connection reset": "it broke the connection off",
}


def _reason(error: Exception) -> str:
    """The cause in a few words, out of a message that holds three layers of libraries."""
    text = str(error)
    return next((words for sign, words in REASONS.items() if sign in text), text[:300])


def _refused(error: Exception) -> bool:
    """A refused connection or an unknown name stays so: waiting would only cost time."""
    text = str(error)
    return any(sign in text for sign in ("refused", "Name or service", "CERTIFICATE_VERIFY"))


def _keep(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep `requests` from putting ~/.netrc in place of our Authorization."""
    return request


def open_repository(name: ImageName, world: World) -> Repository:
    """With whatever login this environment has for the registry."""
    return Repository(name, find_login(name.host, world), world)

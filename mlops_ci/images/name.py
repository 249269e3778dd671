"""The name of an image, and what of it is host, repository, tag and digest."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from mlops_ci.errors import UsageError

HUB = "docker.io"
HUB_HOST = "registry-1.docker.io"
PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
REPOSITORY = re.compile(rf"{PART}(?:/{PART})*")
HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class ImageName:
    """`host/repository`, without tag or digest."""

    host: str
    repository: str

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}"

    @property
    def is_loopback(self) -> bool:
        """Plain HTTP is only spoken with this machine itself."""
        host = self.host.rpartition(":")[0] if re.search(r":\d+$", self.host) else self.host
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def address(self) -> str:
        host = HUB_HOST if self.host == HUB else self.host
        return f"{'http' if self.is_loopback else 'https'}://{host}"

    def at(self, digest: str) -> str:
        return f"{self}@{digest}"


def parse_image(text: str) -> ImageName:
    """Raises UsageError for anything that is not a repository's name, a tag included."""
    first, slash, rest = text.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    host, repository = (first, rest) if named else (HUB, text)
    if host in {"index.docker.io", HUB_HOST}:
        host = HUB
    if host == HUB and "/" not in repository:
        repository = f"library/{repository}"
    if not HOST.fullmatch(host) or not REPOSITORY.fullmatch(repository):
        tagged = ":" in repository or "@" in repository
        raise UsageError(
            f"{text!r} is not the name of an image's repository",
            where="image",
            fix="leave out the tag and the digest: mlops-ci sets the commit as tag"
            if tagged
            else "write host and repository in lower case:\n    image: ghcr.io/acme/churn",
        )
    return ImageName(host, repository)


def split_reference(reference: str) -> tuple[ImageName, str]:
    """`host/repository@sha256:…` → name and digest."""
    text, at, digest = reference.partition("@")
    if not at or not DIGEST.fullmatch(digest):
        raise UsageError(f"{reference!r} does not name an image by its digest")
    return parse_image(text), digest

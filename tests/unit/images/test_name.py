"""Image names: which registry, which repository, with or without encryption."""

from __future__ import annotations

import pytest

from mlops_ci.errors import UsageError
from mlops_ci.images.name import parse_image, split_reference


@pytest.mark.parametrize(
    ("text", "address", "repository"),
    [
        ("ghcr.io/acme/churn", "https://ghcr.io", "acme/churn"),
        ("localhost:5000/a/b", "http://localhost:5000", "a/b"),
        ("127.0.0.1:5000/a", "http://127.0.0.1:5000", "a"),
        ("[::1]:5000/a", "http://[::1]:5000", "a"),
        ("127.0.0.1.example.org/a", "https://127.0.0.1.example.org", "a"),
        ("10.0.0.5:5000/a", "https://10.0.0.5:5000", "a"),
        ("acme/churn", "https://registry-1.docker.io", "acme/churn"),
        ("churn", "https://registry-1.docker.io", "library/churn"),
    ],
)
def test_parse(text: str, address: str, repository: str) -> None:
    name = parse_image(text)
    assert (name.address, name.repository) == (address, repository)


@pytest.mark.parametrize(
    "text",
    [
        "ghcr.io/acme/churn:latest",
        "ghcr.io/acme/churn@sha256:" + "0" * 64,
        "ghcr.io/Acme/churn",
        "ghcr.io/../churn",
        "",
        "https://ghcr.io/acme/churn",
        "ghcr.io/acme/churn?x=y",
        "evil.example/a\nHost: b",
    ],
)
def test_refuse(text: str) -> None:
    with pytest.raises(UsageError):
        parse_image(text)


def test_split() -> None:
    digest = "sha256:" + "a" * 64
    name, found = split_reference(f"ghcr.io/acme/churn@{digest}")
    assert (str(name), found) == ("ghcr.io/acme/churn", digest)
    with pytest.raises(UsageError):
        split_reference("ghcr.io/acme/churn:tag")

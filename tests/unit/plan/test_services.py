"""`origin` → the repository's name on the GitHub that is asked."""

from __future__ import annotations

import pytest

from mlops_ci.plan.services import named_by

PUBLIC = "https://github.com"


@pytest.mark.parametrize(
    ("origin", "server", "name"),
    [
        ("https://github.com/acme/churn", PUBLIC, "acme/churn"),
        ("https://github.com/acme/churn.git", PUBLIC, "acme/churn"),
        ("https://github.com/acme/churn.model/", PUBLIC, "acme/churn.model"),
        ("git@github.com:acme/churn.git", PUBLIC, "acme/churn"),
        ("ssh://git@github.com:22/acme/churn.git", PUBLIC, "acme/churn"),
        ("https://user:secret@github.com/acme/churn", PUBLIC, "acme/churn"),
        ("http://127.0.0.1:8080/acme/churn.git", "http://127.0.0.1:8080", "acme/churn"),
        ("https://gitlab.com/acme/churn", PUBLIC, None),
        ("https://github.com.example.org/acme/churn", PUBLIC, None),
        ("https://github.com/acme/team/churn", PUBLIC, None),
        ("/srv/git/churn.git", PUBLIC, None),
        ("", PUBLIC, None),
    ],
)
def test_the_name_of_a_repository(origin: str, server: str, name: str | None) -> None:
    assert named_by(origin, server) == name

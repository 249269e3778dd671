"""What differs from a commit, in a real repository."""

from __future__ import annotations

import os
from pathlib import Path

from tests.integration.repositories import make_repository

THEN = 1_700_000_000


def test_an_edit_in_the_second_of_the_commit_is_seen(tmp_path: Path) -> None:
    """Git knows by the index's own time which files it may have read too early; a copy of it
    that is younger calls an edit of the same length clean."""
    repo = make_repository(tmp_path)
    repo.git("config", "core.trustctime", "false")
    edited, index = repo.folder / "lr.txt", repo.folder / ".git" / "index"
    repo.write({"mlops-ci.yaml": "models: {m: {metrics: m.json}}\n", "lr.txt": "0.1\n"})
    os.utime(edited, (THEN, THEN))
    repo.commit({})
    edited.write_text("0.2\n")
    for path in (edited, index):
        os.utime(path, (THEN, THEN))
    assert repo.project().edited == ["lr.txt"]

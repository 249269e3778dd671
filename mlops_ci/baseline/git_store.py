"""A shelf in a Git ref that clones do not fetch: one parentless commit, rewritten by
compare-and-swap, so that deleting deletes.

It works in a bare repository of its own in a private temporary folder: the user's checkout, index
and configuration are neither read nor written, and their code cannot reach the key in use.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mlops_ci.errors import DOCS, AccessError, BaselineError, ServiceError
from mlops_ci.git import git_environment
from mlops_ci.world import Command, Finished, World

REF = "refs/mlops-ci/store"
NONE = "0" * 40
PERMISSION = """let the job write the store:
    permissions:
      contents: write"""
DENIED = (
    "403", "401", "authentication failed", "permission", "could not read username", "not granted",
    "access denied", "terminal prompts disabled",
)  # fmt: skip
STALE = ("stale info", "fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref",
         "reference already exists", "incorrect old value")  # fmt: skip
AUTHOR = {
    "GIT_AUTHOR_NAME": "mlops-ci",
    "GIT_AUTHOR_EMAIL": "mlops-ci@users.noreply.github.com",
    "GIT_COMMITTER_NAME": "mlops-ci",
    "GIT_COMMITTER_EMAIL": "mlops-ci@users.noreply.github.com",
}


@dataclass(frozen=True)
class Access:
    """Where the repository is. `header` is a whole HTTP header with the key (`AUTHORIZATION: …`);
    None: Git's own credentials, as on a laptop. It travels in the environment, never in an
    address or an argument."""

    url: str
    header: str | None = None


@dataclass(frozen=True)
class GitShelf:
    access: Access
    world: World
    ref: str = REF

    @property
    def place(self) -> str:
        return f"{self.access.url} {self.ref}"

    @cached_property
    def folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="mlops-ci-store-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        for arguments in (
            ("init", "--quiet", "--bare", "."),
            ("remote", "add", "origin", self.access.url),
            ("config", "extensions.partialClone", "origin"),
            ("config", "remote.origin.promisor", "true"),
            ("config", "remote.origin.partialclonefilter", "blob:none"),
            ("config", "gc.auto", "0"),
        ):
            done = self._git(*arguments, cwd=folder)
            if done.code != 0:
                raise ServiceError(f"git {arguments[0]} failed: {done.error.strip()}")
        return folder

    def version(self) -> str | None:
        commit = self._remote()
        if commit is not None and not self._has(commit):
            fetched = self._git(
                "fetch", "--quiet", "--no-tags", "--depth=1", "--filter=blob:none", "origin",
                f"+{self.ref}:{self.ref}",
            )  # fmt: skip
            if fetched.code != 0:
                raise self._failed("read", fetched)
            return self._git("rev-parse", self.ref).text.strip() or None
        return commit

    def _remote(self) -> str | None:
        done = self._git("ls-remote", "origin", self.ref)
        if done.code != 0:
            raise self._failed("read", done)
        return done.text.split("\t")[0].strip() or None

    def _has(self, commit: str) -> bool:
        return self._git("rev-parse", "--verify", "--quiet", self.ref).text.strip() == commit

    def read(self, version: str, path: str, limit: int) -> bytes | None:
        listed = self._git("ls-tree", version, "--", path).text.split()
        if len(listed) < 4 or listed[1] != "blob" or listed[0] != "100644":
            return None
        done = self._git("cat-file", "-s", listed[2])
        if done.code != 0:
            raise self._failed("read", done)
        size = int(done.text)
        if size > limit:
            raise BaselineError(
                f"{path} in the store has {size:,} bytes; {limit:,} are allowed", where=self.place
            )
        content = self._git("cat-file", "blob", listed[2])
        if content.code != 0:
            raise self._failed("read", content)
        return content.stdout

    def swap(self, version: str | None, writes: Mapping[str, bytes | None]) -> bool:
        commit = self._commit(version, writes)
        done = self._git(
            "push", "--quiet", "--porcelain", f"--force-with-lease={self.ref}:{version or ''}",
            "origin", f"{commit}:{self.ref}",
        )  # fmt: skip
        if done.code == 0:
            self._git("update-ref", self.ref, commit)
            return True
        said = f"{done.text}\n{done.error}".lower()
        if any(word in said for word in STALE) or self._remote() != version:
            return False
        raise self._failed("write", done)

    def _commit(self, version: str | None, writes: Mapping[str, bytes | None]) -> str:
        """Blobs, tree and commit by plumbing, in an index of this repository's own."""
        index = {"GIT_INDEX_FILE": str(self.folder / "mlops-ci-index")}
        read = ("read-tree", version) if version else ("read-tree", "--empty")
        self._must(*read, environ=index)
        lines = []
        for path, content in writes.items():
            blob = NONE
            if content is not None:
                blob = self._must("hash-object", "-w", "--stdin", stdin=content)
            lines.append(f"{'0' if content is None else '100644'} {blob}\t{path}\n")
        self._must("update-index", "--index-info", stdin="".join(lines).encode(), environ=index)
        tree = self._must("write-tree", "--missing-ok", environ=index)
        return self._must("commit-tree", tree, "-m", "mlops-ci store", environ=AUTHOR)

    def _must(
        self, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None
    ) -> str:
        done = self._git(*arguments, stdin=stdin, environ=environ)
        if done.code != 0:
            raise self._failed("write", done)
        return done.text.strip()

    def _git(
        self,
        *arguments: str,
        cwd: Path | None = None,
        stdin: bytes = b"",
        environ: Mapping[str, str] | None = None,
    ) -> Finished:
        env = git_environment(self.world.environ) | dict(environ or {})
        if self.access.header is not None:
            number = int(env["GIT_CONFIG_COUNT"])
            env |= {
                "GIT_CONFIG_COUNT": str(number + 2),
                f"GIT_CONFIG_KEY_{number}": f"http.{self.access.url}.extraheader",
                f"GIT_CONFIG_VALUE_{number}": self.access.header,
                # A redirect must not carry the key to another host, nor a helper keep it.
                f"GIT_CONFIG_KEY_{number + 1}": "credential.helper",
                f"GIT_CONFIG_VALUE_{number + 1}": "",
            }
        return self.world.run_command(
            Command(("git", *arguments), cwd=cwd or self.folder, env=env, stdin=stdin, timeout=300)
        )

    def _failed(self, what: str, done: Finished) -> ServiceError | AccessError:
        said = f"{done.error.strip()} {done.text.strip()}".strip()[-2000:]
        if self.access.header:
            said = said.replace(self.access.header, "***")
        if what == "write" and any(word in said.lower() for word in DENIED):
            return AccessError(
                f"the store may not be written: {said}",
                where=self.place,
                fix=PERMISSION,
                link=f"{DOCS}/security.md",
            )
        if any(word in said.lower() for word in DENIED):
            return AccessError(
                f"the store may not be read: {said}",
                where=self.place,
                fix="let the job read the repository:\n    permissions:\n      contents: read",
                link=f"{DOCS}/security.md",
            )
        return ServiceError(
            f"the store cannot be reached: {said or f'git ended with {done.code}'}",
            where=self.place,
            fix="look at the network and the address of `origin`, then run it again",
        )


def header_of(token: str) -> str:
    """As actions/checkout does it: basic, any user name."""
    from base64 import b64encode

    return f"AUTHORIZATION: basic {b64encode(f'x-access-token:{token}'.encode()).decode()}"

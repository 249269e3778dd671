"""A shelf in a Git ref that clones do not fetch: one parentless commit, rewritten by
compare-and-swap, so that deleting deletes.

It works in a bare repository of its own in a private temporary folder: the user's checkout, index
and configuration are neither read nor written, and their code cannot reach the key in use.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mlops_ci.baseline.entry import too_large
from mlops_ci.errors import DOCS, AccessError, ServiceError
from mlops_ci.git import Access
from mlops_ci.world import Command, Finished, World

__all__ = ["Access", "GitShelf", "header_of"]

REF = "refs/mlops-ci/store"
NONE = "0" * 40
ABSENT = "couldn't find remote ref"
REMOTE = """
[remote "origin"]
\turl = "{url}"
\tpromisor = true
\tpartialclonefilter = blob:none
[gc]
\tauto = 0
[extensions]
\tpartialClone = origin
"""
PERMISSION = """let the job write it:
    permissions:
      contents: write"""
DENIED = (
    "403", "401", "authentication failed", "permission", "could not read username", "not granted",
    "access denied", "terminal prompts disabled", "repository not found",
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
class GitShelf:
    """`called` is what errors call it; `message` that of its one commit. `patience`: seconds for a
    command of Git's, which waits for ever where an answer breaks off."""

    access: Access
    world: World
    ref: str = REF
    called: str = "the store"
    message: str = "mlops-ci store"
    patience: float = 300
    brought: set[str] = field(default_factory=set, compare=False, repr=False)
    trees: dict[str, dict[str, str]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def place(self) -> str:
        return f"{self.access.url} {self.ref}"

    @cached_property
    def folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="mlops-ci-store-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        done = self._git("init", "--quiet", "--bare", "--template=", ".", cwd=folder)
        if done.code != 0:
            raise ServiceError(f"git init failed: {done.error.strip()}")
        url = self.access.url.replace("\\", "\\\\").replace('"', '\\"')
        with (folder / "config").open("a", encoding="utf-8") as file:
            file.write(REMOTE.format(url=url))
        return folder

    def version(self) -> str | None:
        done = self._git(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1",
            "--filter=blob:none", "origin", f"+{self.ref}:{self.ref}",
        )  # fmt: skip
        if done.code != 0:
            if ABSENT in done.error.lower():
                return None
            raise self._failed("read", done)
        return self._git("rev-parse", self.ref).text.strip() or None

    def files(self, version: str) -> dict[str, str]:
        """Path → blob. Only plain files: a link leads out of the store."""
        if version not in self.trees:
            listed = self._git("ls-tree", "-r", "-z", version)
            if listed.code != 0:
                raise self._failed("read", listed)
            lines = [line.partition("\t") for line in listed.text.split("\0") if line]
            blobs = {path: head.split() for head, _, path in lines}
            self.trees[version] = {p: w[2] for p, w in blobs.items() if w[0] == "100644"}
        return self.trees[version]

    def read(self, version: str, limits: Mapping[str, int]) -> dict[str, bytes]:
        files = self.files(version)
        blobs = {path: files[path] for path in limits if path in files}
        if not blobs:
            return {}
        self._bring(set(blobs.values()))
        asked = "".join(f"{blob}\n" for blob in blobs.values()).encode()
        sizes = self._git("cat-file", "--batch-check=%(objectsize)", stdin=asked)
        if sizes.code != 0:
            raise self._failed("read", sizes)
        for path, size in zip(blobs, sizes.text.split("\n"), strict=False):
            if not size.isdigit():
                raise self._failed("read", sizes)
            if int(size) > limits[path]:
                raise too_large(path, int(size), limits[path], self.place)
        contents = self._git("cat-file", "--batch=%(objectsize)", stdin=asked)
        if contents.code != 0:
            raise self._failed("read", contents)
        return dict(zip(blobs, _split(contents.stdout), strict=True))

    def _bring(self, blobs: set[str]) -> None:
        """All in one answer, where Git alone would ask for each. What does not come is asked for
        again, and its error told, where it is read."""
        missing = sorted(blobs - self.brought)
        if not missing:
            return
        self._git(
            "-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags",
            "--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--stdin",
            "origin", stdin="".join(f"{blob}\n" for blob in missing).encode(),
        )  # fmt: skip
        self.brought.update(missing)

    def _remote(self) -> str | None:
        done = self._git("ls-remote", "origin", self.ref)
        if done.code != 0:
            raise self._failed("read", done)
        return done.text.split("\t")[0].strip() or None

    def swap(self, version: str | None, writes: Mapping[str, bytes | None]) -> bool:
        commit = self._commit(version, writes)
        done = self._git(
            "push", "--quiet", "--porcelain", f"--force-with-lease={self.ref}:{version or ''}",
            "origin", f"{commit}:{self.ref}",
        )  # fmt: skip
        if done.code == 0:
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
        blobs = self._blobs([content for content in writes.values() if content is not None])
        lines = [
            f"0 {NONE}\t{path}\n" if content is None else f"100644 {next(blobs)}\t{path}\n"
            for path, content in writes.items()
        ]
        self._must("update-index", "--index-info", stdin="".join(lines).encode(), environ=index)
        tree = self._must("write-tree", "--missing-ok", environ=index)
        return self._must("commit-tree", tree, "-m", self.message, environ=AUTHOR)

    def _blobs(self, contents: Sequence[bytes]) -> Iterator[str]:
        """In the order given, by one process."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            places = [Path(name) / str(number) for number in range(len(contents))]
            for place, content in zip(places, contents, strict=True):
                place.write_bytes(content)
            asked = "".join(f"{place}\n" for place in places).encode()
            made = self._must("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=asked)
        return iter(made.split())

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
        env = self.access.environment(self.world.environ) | dict(environ or {})
        return self.world.run_command(
            Command(
                ("git", *arguments),
                cwd=cwd or self.folder,
                env=env,
                stdin=stdin,
                timeout=self.patience,
            )
        )

    def _failed(self, what: str, done: Finished) -> ServiceError | AccessError:
        said = f"{done.error.strip()} {done.text.strip()}".strip()[-2000:]
        if done.code is None:
            said = f"no answer in {self.patience:.0f} s; {said}"
        if self.access.header:
            said = said.replace(self.access.header, "***")
        if what == "write" and any(word in said.lower() for word in DENIED):
            return AccessError(
                f"{self.called} may not be written: {said}",
                where=self.place,
                fix=PERMISSION,
                link=f"{DOCS}/security.md",
            )
        if any(word in said.lower() for word in DENIED):
            return AccessError(
                f"{self.called} may not be read: {said}",
                where=self.place,
                fix="let the job read the repository:\n    permissions:\n      contents: read",
                link=f"{DOCS}/security.md",
            )
        return ServiceError(
            f"{self.called} cannot be reached: {said or f'git ended with {done.code}'}",
            where=self.place,
            fix="look at the network and the address of `origin`, then run it again",
        )


def _split(batch: bytes) -> Iterator[bytes]:
    """What `cat-file --batch=%(objectsize)` prints: size, content, newline; size, …"""
    at = 0
    while at < len(batch):
        end = batch.index(b"\n", at)
        size = int(batch[at:end])
        yield batch[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def header_of(token: str) -> str:
    """As actions/checkout does it: basic, any user name."""
    from base64 import b64encode

    return f"AUTHORIZATION: basic {b64encode(f'x-access-token:{token}'.encode()).decode()}"

"""The project's own plots and pictures, from a training in a worktree, Git, DVC's cache, the store."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from mlops_ci.baseline.commit import Asked
from mlops_ci.plan import Context, Occasion, execute, plan_project, store_of
from mlops_ci.plan.outcome import Outcomes
from mlops_ci.plan.reports import write_reports
from mlops_ci.project import Project
from mlops_ci.report.album import read_album
from mlops_ci.report.exhibit import Drawing, Image
from mlops_ci.steps.exhibit_files import MOST_BYTES
from mlops_ci.steps.exhibits import (
    exhibits_of,
    keep_exhibits,
    pack_exhibits,
    unpack_exhibits,
)
from tests.integration.repositories import Repository, make_repository

# A PNG by hand: the training's Python needs no library.
TRAIN = """\
import pathlib, struct, zlib, json
shade = int(open("params.yaml").read().split(":")[1])
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = (b"\\0" + bytes([shade, shade, shade]) * 40) * 30
head = struct.pack(">IIBBBBB", 40, 30, 8, 2, 0, 0, 0)
png = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
out = pathlib.Path("out")
out.mkdir(exist_ok=True)
(out / "seen.png").write_bytes(png + chunk(b"IEND", b""))
(out / "metrics.json").write_text(json.dumps({"accuracy": 0.8}))
"""
FILES = {
    "mlops-ci.yaml": """\
tracking-uri: none
models:
  churn:
    train: python3 train.py
    metrics: out/metrics.json
    pictures: [out/*.png]
""",
    "train.py": TRAIN,
    "params.yaml": "shade: 90\n",
    ".gitignore": "/out/\n",
}
PIPELINE = {
    "mlops-ci.yaml": "models: {churn: {dvc: [], metrics: metrics.json}}\n",
    "metrics.json": '{"accuracy": 0.8}\n',
    "dvc.yaml": """\
plots:
- loss.csv: {x: epoch, y: loss, title: Loss}
""",
}
BASE, HEAD = b"epoch,loss\n0,1\n1,0.5\n", b"epoch,loss\n0,1\n1,0.4\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return make_repository(tmp_path)


def run(project: Project, occasion: Occasion | None = None) -> Outcomes:
    plan = plan_project(project, occasion or Occasion())
    return execute(plan, Context(project, store=store_of(project), timeout=120))


def titles(project: Project, outcomes: Outcomes) -> list[str]:
    reported = write_reports(project, outcomes)
    plots, _ = read_album(project.records.of("churn", project.commit) / "plots")
    assert [plot.title for plot in reported.report.models[0].plots] == [p.title for p in plots]
    return [plot.title for plot in plots]


def pull(repo: Repository) -> Occasion:
    return Occasion(Asked("pull_request", head=repo.git("rev-parse", "HEAD"), branch="main"))


def test_a_training_s_picture_is_seen_beside_that_of_base(repo: Repository) -> None:
    repo.commit(FILES)
    repo.push()
    repo.branch("idea")
    repo.commit({"params.yaml": "shade: 200\n"})
    project = repo.project()
    assert titles(project, run(project, pull(repo))) == ["out/seen.png"]
    assert repo.git("status", "--porcelain") == ""


def test_the_store_brings_base_s_picture(repo: Repository, tmp_path: Path) -> None:
    """The merge job stores it; the pull request's job, on another disk, trains no base."""
    shelf = f"store: {{backend: folder, path: {tmp_path / 'shelf'}}}\n"
    first = repo.commit({**FILES, "mlops-ci.yaml": shelf + FILES["mlops-ci.yaml"]})
    repo.push()
    stored = run(repo.project(), Occasion(Asked("push", head=first), ships=True))
    assert (stored.exit_code, stored.models[0].error) == (0, None)
    repo.git("clean", "-xdfq")
    repo.branch("idea")
    repo.commit({"params.yaml": "shade: 200\n"})
    project = repo.project()
    outcomes = run(project, pull(repo))
    comparison = outcomes.models[0].comparison
    assert comparison is not None
    assert comparison.base is not None
    assert "the store" in str(comparison.base.source)
    assert titles(project, outcomes) == ["out/seen.png"]


def drawing(project: Project, base: str, *, same: bool = False) -> Drawing:
    (found,), _ = exhibits_of(project, "churn", base, same=same)
    assert isinstance(found, Drawing)
    return found


def test_what_git_has_is_taken_from_base_s_commit(repo: Repository) -> None:
    base = repo.commit({**PIPELINE, "loss.csv": BASE})
    repo.commit({"loss.csv": HEAD})
    found = drawing(repo.project(), base)
    assert (found.title, found.x_label, found.y_label) == ("Loss", "epoch", "loss")
    assert found.base is not None
    assert (found.base[0].y, found.head[0].y) == (("1", "0.5"), ("1", "0.4"))


@pytest.mark.parametrize("place", ["files/md5/", ""])
def test_what_dvc_has_is_taken_by_its_digest(repo: Repository, place: str) -> None:
    digest = hashlib.md5(BASE, usedforsecurity=False).hexdigest()
    lock = f"stages:\n  t:\n    cmd: x\n    outs:\n    - path: loss.csv\n      md5: {digest}\n"
    ignored = {".gitignore": "/loss.csv\n/.dvc/cache\n"}
    base = repo.commit({**PIPELINE, **ignored, "dvc.lock": lock})
    repo.write({"loss.csv": HEAD})
    assert drawing(repo.project(), base).base is None, "it is nowhere yet"
    cached = f".dvc/cache/{place}{digest[:2]}/{digest[2:]}"
    repo.write({cached: b"epoch,loss\n0,9\n"})
    assert drawing(repo.project(), base).base is None, "what has another digest is another file"
    repo.write({cached: BASE})
    found = drawing(repo.project(), base).base
    assert found is not None
    assert found[0].y == ("1", "0.5")


def test_a_folder_of_dvc_is_taken_file_by_file(repo: Repository) -> None:
    """DVCLive's: the plot is a folder, and the folder is one output."""

    def md5(content: bytes) -> str:
        return hashlib.md5(content, usedforsecurity=False).hexdigest()

    folder = f'[{{"md5": "{md5(BASE)}", "relpath": "metrics/loss.csv"}}]'.encode()
    lock = f"stages:\n  t:\n    cmd: x\n    outs:\n    - path: live\n      md5: {md5(folder)}.dir\n"
    plots = {"dvc.yaml": "plots:\n- live/metrics: {x: epoch}\n", ".gitignore": "/live\n"}
    base = repo.commit({**PIPELINE, **plots, "dvc.lock": lock})
    cache = {
        f".dvc/cache/files/md5/{name[:2]}/{name[2:]}": content
        for name, content in ((md5(BASE), BASE), (f"{md5(folder)}.dir", folder))
    }
    repo.write({"live/metrics/loss.csv": HEAD, **cache})
    found = drawing(repo.project(), base)
    assert found.title == "live/metrics/loss.csv"
    assert found.base is not None
    assert (found.base[0].y, found.head[0].y) == (("1", "0.5"), ("1", "0.4"))


def test_where_base_has_none_head_stands_alone_and_it_is_said(repo: Repository) -> None:
    base = repo.commit({**PIPELINE, ".gitignore": "/loss.csv\n"})
    repo.write({"loss.csv": HEAD})
    (found,), notes = exhibits_of(repo.project(), "churn", base)
    assert found.base is None
    assert notes == ["base's Loss is not at hand: head's is shown alone"]
    assert drawing(repo.project(), base, same=True).base is not None


def test_what_head_lacks_is_left_out_and_named(repo: Repository) -> None:
    base = repo.commit({**PIPELINE, "loss.csv": b"epoch\n0\n"})
    found, notes = exhibits_of(repo.project(), "churn", base)
    assert (found, notes) == ([], ["the plot Loss is left out: loss.csv has no column loss"])


def test_files_outside_and_large_ones_are_not_read(repo: Repository, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"\x89PNG secret")
    patterns = FILES["mlops-ci.yaml"].replace("[out/*.png]", "[out/*.png, out/elsewhere/*.png]")
    base = repo.commit({**FILES, "mlops-ci.yaml": patterns})
    repo.write({"out/large.png": b"\x89PNG" + b"0" * MOST_BYTES, "out/metrics.json": "{}"})
    (repo.folder / "out" / "link.png").symlink_to(tmp_path / "secret.png")
    (repo.folder / "out" / "elsewhere").symlink_to(tmp_path)
    project = repo.project()
    found, notes = exhibits_of(project, "churn", base)
    assert found == []
    assert len([note for note in notes if "is left out" in note]) == 2
    keep_exhibits(project, "churn", base)
    assert pack_exhibits(project, "churn", base) is None


def test_svg_is_said_not_to_be_shown(repo: Repository) -> None:
    evil = "<svg onload='alert(1)'/>"
    base = repo.commit({**PIPELINE, "dvc.yaml": "plots: [evil.svg]\n", "evil.svg": evil})
    found, notes = exhibits_of(repo.project(), "churn", base)
    assert (found, notes) == ([], ["evil.svg is not shown: a report shows PNG and JPEG alone"])


@pytest.mark.parametrize("name", ["../out.png", "/etc/x.png", "a/../../b.png"])
def test_an_archive_s_paths_stay_inside(repo: Repository, name: str) -> None:
    repo.commit(FILES)
    project, stream = repo.project(), io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr(name, b"x")
    unpack_exhibits(project, "churn", "0" * 40, stream.getvalue())
    assert not (project.records.path / "churn").exists()


def test_an_archive_that_unfolds_too_far_is_left(repo: Repository) -> None:
    repo.commit(FILES)
    project, stream = repo.project(), io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.png", b"0" * 50_000_000)
    for content in (stream.getvalue(), b"PK\x03\x04 broken", b""):
        unpack_exhibits(project, "churn", "0" * 40, content)
    assert not (project.records.path / "churn").exists()


def test_pictures_are_images(repo: Repository) -> None:
    base = repo.commit({**FILES, ".gitignore": "", "out/seen.png": b"\x89PNG base"})
    repo.write({"out/seen.png": b"\x89PNG head"})
    (found,), _ = exhibits_of(repo.project(), "churn", base)
    assert found == Image("out/seen.png", b"\x89PNG head", b"\x89PNG base")

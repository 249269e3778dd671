"""What a reader sees: reports rendered as GitHub renders comments, photographed in Chromium.

    python scripts/preview.py --states better worse --out preview   # states of the tests
    python scripts/preview.py report.md page.html --out preview     # files
    python scripts/preview.py --docs                                # docs/images

Markdown by cmark-gfm with GitHub's extensions, its stylesheet by npm, wide and narrow, light and
dark. Needs Chromium and, for the stylesheet, npm: scripts/chromium.sh and scripts/node.sh bring
them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cmarkgfm
from cmarkgfm.cmark import Options

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
STYLE = "github-markdown-css@5.8.1"
CACHE = Path.home() / ".cache" / "mlops-ci" / "preview"
WIDTHS = {"wide": 1280, "narrow": 400}
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, help="markdown or HTML")
    parser.add_argument("--states", nargs="*", help="of tests/unit/report/states.py; none: all")
    parser.add_argument("--out", type=Path, default=Path("preview"))
    parser.add_argument("--docs", action="store_true", help="renew the pictures in docs/images")
    arguments = parser.parse_args()
    if arguments.docs:
        photograph_docs(ROOT / "docs" / "images")
        return 0
    arguments.out.mkdir(parents=True, exist_ok=True)
    for file in arguments.files:
        content = file.read_text("utf-8")
        photograph(content if file.suffix == ".html" else page([content]), file.stem, arguments.out)
    if arguments.states is not None:
        photograph(page(comments(arguments.states)), "states", arguments.out)
    return 0


def comments(names: list[str]) -> list[str]:
    from mlops_ci.report import render_markdown
    from tests.unit.report.states import STATES

    return [render_markdown(STATES[name]()) for name in names or STATES]


def page(markdowns: list[str], *, gap: int = 24) -> str:
    """Each text in a box of its own, as in a pull request's conversation."""
    boxes = "".join(f"<div class=box>{render(content)}</div>" for content in markdowns)
    return (
        f"<!doctype html><meta charset=utf-8><style>{stylesheet()}"
        "body { margin: 0; padding: 16px; }"
        ".box { border: 1px solid #8886; border-radius: 6px; padding: 16px; }"
        f".box + .box {{ margin-top: {gap}px; }}"
        f"</style><body class=markdown-body>{boxes}"
    )


def render(content: str) -> str:
    return str(cmarkgfm.github_flavored_markdown_to_html(content, Options.CMARK_OPT_UNSAFE))


def stylesheet() -> str:
    file = CACHE / "node_modules" / "github-markdown-css" / "github-markdown.css"
    if not file.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        node, npm = run([str(ROOT / "scripts" / "node.sh")]).split()
        run([node, npm, "install", "--silent", "--no-save", "--prefix", str(CACHE), STYLE])
    return file.read_text("utf-8")


def photograph(html: str, name: str, out: Path) -> None:
    for size, width in WIDTHS.items():
        for tone in ("light", "dark"):
            shoot(html, out / f"{name}-{size}-{tone}.png", width, tone)


def shoot(html: str, target: Path, width: int, tone: str, height: int = 0) -> None:
    """One picture, cut below the last line that is not background (or at `height`)."""
    chromium = run([str(ROOT / "scripts" / "chromium.sh")]).strip()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        # Chromium has no switch for the colour scheme in this form of headless: the page asks.
        source.write_text(_in_tone(html, tone), "utf-8")
        size = f"--window-size={width},{height or 16000}"
        flags = [*FLAGS, f"--user-data-dir={folder}/profile", size, f"--screenshot={target}"]
        if tone == "dark":
            flags.append("--blink-settings=preferredColorScheme=0")
        run([chromium, *flags, source.as_uri()])
    if not height:
        cut(target)


def _in_tone(html: str, tone: str) -> str:
    other = "dark" if tone == "light" else "light"
    return html.replace(f"(prefers-color-scheme: {tone})", "(min-width: 1px)").replace(
        f"(prefers-color-scheme: {other})", "(max-width: 1px)"
    )


def cut(path: Path) -> None:
    from PIL import Image, ImageChops

    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    paper = Image.new("RGB", picture.size, picture.getpixel((0, picture.height - 1)))
    box = ImageChops.difference(picture, paper).getbbox()
    if box is not None:
        picture = picture.crop((0, 0, picture.width, min(picture.height, box[3] + 16)))
    picture.quantize(128).save(path, optimize=True)


def photograph_docs(out: Path) -> None:
    """The pictures that the README and the docs show."""
    from mlops_ci.report import render_html

    out.mkdir(parents=True, exist_ok=True)
    better = page(comments(["better"]), gap=0)
    for tone in ("light", "dark"):
        shoot(better, out / f"comment-{tone}.png", 1000, tone)
        shoot(render_html(_with_plots()), out / f"page-{tone}.png", 1200, tone)
    shoot(page(comments(["worse"]), gap=0), out / "comment-narrow.png", 400, "dark")
    for state in ("many", "busy"):
        shoot(page(comments([state]), gap=0), out / f"comment-{state}.png", 1000, "light")


def _with_plots() -> Any:
    from dataclasses import replace

    from tests.unit.report.pictures import plots
    from tests.unit.report.states import better, one

    return one(replace(better(), plots=plots()))


def run(argv: list[str]) -> str:
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{argv[0]} ended with {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())

"""A project's own plots and pictures: drawn anew, within limits, base and head together."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
import pytest

from mlops_ci.report import Plot
from mlops_ci.report.canvas import MAX_BYTES
from mlops_ci.report.exhibit import Drawing, Exhibit, Image, Series
from mlops_ci.report.exhibit_plots import MOST_SIDE, draw_exhibits, open_image

NAMES = ("main", "this PR")
FALL, FASTER = (
    (tuple(range(20)), tuple(1 / (1 + e) for e in range(20))),
    (
        tuple(range(20)),
        tuple(1 / (2 + e) for e in range(20)),
    ),
)


def drawn(*exhibits: Exhibit) -> tuple[list[Plot], list[str]]:
    notes: list[str] = []
    return list(draw_exhibits(exhibits, NAMES, notes)), notes


def series(name: str = "loss", x: Any = FALL[0], y: Any = FALL[1]) -> Series:
    return Series(name, tuple(x), tuple(y))


def png(width: int = 40, height: int = 30, kind: str = "PNG", *, noise: bool = False) -> bytes:
    from PIL import Image as Pillow

    random = np.random.default_rng(1)
    shape = (height, width, 3)
    pixels = random.integers(0, 256, shape) if noise else np.full(shape, 200)
    stream = io.BytesIO()
    Pillow.fromarray(pixels.astype(np.uint8)).save(stream, kind)
    return stream.getvalue()


def pixels(content: bytes) -> Any:
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(content)) as found:
        return np.asarray(found.convert("RGB"))


CLASSES = series("predicted", ("no", "yes", "no"), ("no", "no", "yes"))
BARS = series("name", (0.3, 0.7, "x"), ("age", "$x_1$", "tenure"))


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("linear", series()),
        ("simple", series()),
        ("smooth", series()),
        ("somebody's own", series()),
        ("scatter", series()),
        ("scatter_jitter", series()),
        ("bar_horizontal", BARS),
        ("bar_horizontal_sorted", BARS),
        ("confusion", CLASSES),
        ("confusion_normalized", CLASSES),
    ],
)
def test_every_template_is_drawn_with_base_and_alone(template: str, line: Series) -> None:
    both = Drawing("T", (line,), (line,), template, "x", "y")
    alone = Drawing("T", (line,), None, template)
    (first, second), notes = drawn(both, alone)
    assert notes == []
    assert [first.title, second.title] == ["T", "T (this PR alone)"]
    assert first.light != first.dark
    assert all(len(found) <= MAX_BYTES for found in (first.light, first.dark, second.light))


def test_base_and_head_are_on_the_same_axes() -> None:
    line, other = series(x=FALL[0], y=FALL[1]), series(x=FASTER[0], y=FASTER[1])
    (same, apart), _ = drawn(Drawing("T", (line,), (line,)), Drawing("T", (line,), (other,)))
    grey = np.array([0x81, 0x8B, 0x98])
    count = [int((pixels(plot.light) == grey).all(axis=2).sum()) for plot in (same, apart)]
    assert count[1] > count[0] + 30, "base's line is grey, and hidden where head's lies on it"


@pytest.mark.parametrize("value", ["", None, "nan", "inf", "a", 10**400, [1]])
def test_lines_without_numbers_are_left_out_and_named(value: Any) -> None:
    found, notes = drawn(Drawing("Loss", (series(x=(1,), y=(value,)),), None))
    assert found == []
    assert notes == ["the plot Loss is left out: loss has no numbers"]


def test_a_long_line_is_thinned() -> None:
    long = series(x=range(90_000), y=np.sin(np.arange(90_000)))
    (plot,), _ = drawn(Drawing("T", (long,), (long,)))
    assert len(plot.light) <= MAX_BYTES


def test_pictures_stand_side_by_side() -> None:
    (plot,), notes = drawn(Image("out/seen.png", png(noise=True), png(kind="JPEG")))
    assert notes == []
    found = pixels(plot.light)
    left, right = np.array_split(found, 2, axis=1)
    assert left.std() != pytest.approx(right.std(), rel=0.1), "they are different pictures"
    assert plot.title == "out/seen.png"


def test_a_loud_picture_is_made_small() -> None:
    (plot,), notes = drawn(Image("noise.png", png(2000, 1500, noise=True), None))
    assert notes == []
    assert len(plot.light) <= MAX_BYTES
    assert plot.title == "noise.png (this PR alone)"


def bomb() -> bytes:
    """A PNG that says it is 60,000 × 60,000."""
    head = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    chunk = (13).to_bytes(4, "big") + head + zlib.crc32(head).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + chunk


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00",
        b"%PDF-1.4",
        b"\x89PNG\r\n\x1a\n",
        png()[:-30],
        png(kind="JPEG")[:60],
        bomb(),
        b"\xff\xd8\xff<script>",
    ],
    ids=["empty", "svg", "gif", "pdf", "cut", "half", "half-jpeg", "bomb", "script"],
)
def test_what_is_no_picture_is_left_out(content: bytes) -> None:
    found, notes = drawn(Image("evil.png", content, None))
    assert found == []
    assert notes[0].startswith("the plot evil.png is left out: ")


def test_a_picture_is_painted_anew() -> None:
    """Nothing that stands behind its end, nor in its comments, travels on."""
    hostile = png() + b"<script>alert(1)</script>"
    (plot,), _ = drawn(Image("a.png", hostile, hostile))
    assert b"script" not in plot.light + plot.dark
    assert max(open_image(png(3000, 20)).shape) == MOST_SIDE


@pytest.mark.parametrize(
    "name", ["|", "a\nb", "@org", "<img src=x>", "![](x)", "$\\frac{", "_", ""]
)
def test_hostile_names_are_only_names(name: str) -> None:
    line = series(name, FALL[0], FALL[1])
    plots, notes = drawn(Drawing(name or " ", (line, line), (line, line), x_label=name))
    assert (len(plots), notes) == (1, [])

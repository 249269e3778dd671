"""What a project wants to be seen: its own plots of base and head on the same axes, and pictures
of its own side by side.

Nothing of it is trusted: a picture is read by Pillow within limits of bytes and pixels, and what is
shown is painted anew; SVG is never shown.
"""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from mlops_ci.report.canvas import MAX_BYTES, SIZE, Canvas, Picture, paint, plain_name
from mlops_ci.report.exhibit import Drawing, Exhibit, Image, Series
from mlops_ci.report.model import Plot

POINTS = 2000  # of one line
CLASSES = 12  # of a confusion table
BARS = 20
MOST_PIXELS = 25_000_000
MOST_SIDE = 700  # pixels of one side of a shown picture
COLOURS = (256, 64, 16)
WIDTH, WIDE = 4.6, 7.2  # inches


def draw_exhibits(
    exhibits: Sequence[Exhibit], names: tuple[str, str], notes: list[str]
) -> Iterator[Plot]:
    """Base's and head's names; why one is not shown goes to `notes`. Raises ImportError without
    matplotlib."""
    for at, exhibit in enumerate(exhibits):
        name, told = f"own-{at + 1}", plain_name(exhibit.title, 60)
        title = exhibit.title if exhibit.base is not None else f"{exhibit.title} ({names[1]} alone)"
        try:
            picture = _picture(exhibit, name, title, names)
            light, dark = paint(picture)
            yield Plot(name, title, _small(light), _small(dark))
        except (ValueError, ArithmeticError, LookupError, TypeError, OSError) as error:
            notes.append(f"the plot {told} is left out: {error}")


def _picture(exhibit: Exhibit, name: str, title: str, names: tuple[str, str]) -> Picture:
    if isinstance(exhibit, Image):
        shown = [(names[1], open_image(exhibit.head))]
        if exhibit.base is not None:
            shown.insert(0, (names[0], open_image(exhibit.base)))
        ratio = max(image.shape[0] / image.shape[1] for _, image in shown)
        width = WIDE if len(shown) > 1 else WIDTH
        height = min(max(width / len(shown) * ratio + 0.6, 1.2), 6.0)
        return Picture(name, title, partial(_draw_images, images=shown), (width, height))
    if exhibit.template.startswith("confusion"):
        size = (WIDTH, 2.9) if exhibit.base is not None else SIZE
        return Picture(name, title, partial(_draw_confusion, drawing=exhibit, names=names), size)
    if exhibit.template.startswith("bar"):
        return Picture(name, title, partial(_draw_bars, drawing=exhibit, names=names))
    return Picture(name, title, partial(_draw_lines, drawing=exhibit, names=names))


def open_image(content: bytes) -> Any:
    """Rows × columns × RGB, at most MOST_SIDE on a side. Raises ValueError for all but PNG and
    JPEG, and for one that is too large."""
    from PIL import Image as Pillow

    if not content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        raise ValueError("it is neither PNG nor JPEG")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(io.BytesIO(content), formats=("PNG", "JPEG")) as found:
                if found.width * found.height > MOST_PIXELS:
                    raise ValueError(f"it has more than {MOST_PIXELS:,} pixels")
                shown = found.convert("RGBA")
                shown.thumbnail((MOST_SIDE, MOST_SIDE))
                paper = Pillow.new("RGBA", shown.size, "white")
                return np.asarray(Pillow.alpha_composite(paper, shown).convert("RGB"))
    except (OSError, SyntaxError, Pillow.DecompressionBombError, Warning) as error:
        raise ValueError(f"it cannot be read: {type(error).__name__}") from error


def _small(content: bytes) -> bytes:
    """At most MAX_BYTES: with fewer colours, then smaller. Drawn plots are that small anyway."""
    if len(content) <= MAX_BYTES:
        return content
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(content)) as found:
        shown = found.convert("RGB")
    for scale in (1.0, 0.75, 0.5):
        size = (round(shown.width * scale), round(shown.height * scale))
        for colours in COLOURS:
            stream = io.BytesIO()
            shown.resize(size).quantize(colours).save(stream, "PNG", optimize=True)
            if stream.tell() <= MAX_BYTES:
                return stream.getvalue()
    raise ValueError(f"it does not fit into {MAX_BYTES:,} bytes")


def _draw_images(canvas: Canvas, images: list[tuple[str, Any]]) -> None:
    for axes, (name, image) in zip(_beside(canvas, len(images)), images, strict=True):
        axes.imshow(image, interpolation="antialiased")
        axes.set(xticks=[], yticks=[])
        axes.set_xlabel(plain_name(name))


def _beside(canvas: Canvas, count: int) -> list[Any]:
    made = list(canvas.figure.subplots(1, count, squeeze=False)[0])
    for axes in made:
        canvas.dress(axes)
    return made


def _draw_lines(canvas: Canvas, drawing: Drawing, names: tuple[str, str]) -> None:
    (axes,) = canvas.axes()
    canvas.grid(axes)
    points = drawing.template.startswith("scatter")
    styles = ("-", "--", ":", "-.")
    for side, colour, found in _sides(canvas, drawing, names):
        for at, series in enumerate(found):
            x, y = _numbers(series)
            label = side if len(found) == 1 else f"{side}: {plain_name(series.name, 20)}"
            if points:
                axes.scatter(x, y, s=8, color=colour, alpha=0.5, label=label, linewidths=0)
            else:
                axes.plot(x, y, styles[at % 4], color=colour, linewidth=1.4, label=label)
    axes.set(xlabel=plain_name(drawing.x_label, 40), ylabel=plain_name(drawing.y_label, 40))
    canvas.legend(axes, "best" if len(drawing.head) < 4 else "upper right")


def _sides(
    canvas: Canvas, drawing: Drawing, names: tuple[str, str]
) -> Iterator[tuple[str, str, tuple[Series, ...]]]:
    if drawing.base is not None:
        yield plain_name(names[0]), canvas.colours.base, drawing.base
    yield plain_name(names[1]), canvas.colours.head, drawing.head


def _numbers(series: Series) -> tuple[Any, Any]:
    """Rows that are numbers in both, thinned evenly."""
    x, y = (np.array([_number(value) for value in axis]) for axis in (series.x, series.y))
    whole = np.isfinite(x) & np.isfinite(y)
    x, y = x[whole], y[whole]
    if not len(x):
        raise ValueError(f"{series.name} has no numbers")
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).astype(int))
    return x[kept], y[kept]


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def _draw_bars(canvas: Canvas, drawing: Drawing, names: tuple[str, str]) -> None:
    """The value (x) of each name (y), base's bar above head's."""
    (axes,) = canvas.axes()
    canvas.grid(axes, axis="x")
    sides = list(_sides(canvas, drawing, names))
    values = [{str(y): _number(x) for x, y in zip(s[0].x, s[0].y, strict=True)} for *_, s in sides]
    labels = list(dict.fromkeys(name for found in values for name in found))
    if drawing.template.endswith("sorted"):
        labels.sort(key=lambda name: -abs(values[-1].get(name, 0.0)))
    labels = labels[:BARS][::-1]
    for at, ((side, colour, _), found) in enumerate(zip(sides, values, strict=True)):
        shift = 0.2 - 0.4 * at if len(sides) == 2 else 0.0
        places = np.arange(len(labels)) + shift
        widths = [found.get(name, np.nan) for name in labels]
        axes.barh(places, widths, 0.38, color=colour, label=side)
    axes.set_yticks(range(len(labels)), [plain_name(name) for name in labels])
    axes.set(xlabel=plain_name(drawing.x_label, 40))
    canvas.legend(axes, "lower right")


def _draw_confusion(canvas: Canvas, drawing: Drawing, names: tuple[str, str]) -> None:
    """In % of each actual class, as base has it and as head has it, in one colour scale."""
    sides = list(_sides(canvas, drawing, names))
    seen = Counter(str(v) for *_, found in sides for v in (*found[0].x, *found[0].y))
    classes = sorted(seen, key=lambda name: -seen[name])[:CLASSES]
    classes.sort()
    place = {name: at for at, name in enumerate(classes)}
    for axes, (side, _, found) in zip(_beside(canvas, len(sides)), sides, strict=True):
        counts = np.zeros((len(classes), len(classes)))
        for actual, predicted in zip(found[0].x, found[0].y, strict=True):
            if str(actual) in place and str(predicted) in place:
                counts[place[str(actual)], place[str(predicted)]] += 1
        _draw_shares(canvas, axes, counts, [plain_name(name, 12) for name in classes])
        axes.set_xlabel(f"predicted by {side}")
        axes.set_ylabel("actual" if side == sides[0][0] else "")


def _draw_shares(canvas: Canvas, axes: Any, counts: Any, classes: list[str]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    colours = canvas.colours
    shares = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    scale = LinearSegmentedColormap.from_list("shares", [colours.paper, colours.head])
    axes.imshow(shares, cmap=scale, vmin=0, vmax=100)
    axes.set_xticks(range(len(classes)), classes, rotation=90 if len(classes) > 4 else 0)
    axes.set_yticks(range(len(classes)), classes)
    if len(classes) <= 6:
        for (row, column), share in np.ndenumerate(shares):
            ink = "#ffffff" if share > 60 else colours.ink
            axes.text(column, row, f"{share:.0f}", ha="center", va="center", size=8, color=ink)

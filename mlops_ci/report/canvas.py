"""What every picture has in common: size, colours of light and dark pages, axes, bytes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from mlops_ci.report.phrase import clip

if TYPE_CHECKING:
    from mlops_ci.data import Predictions

SIZE = (4.6, 3.6)  # inches
DPI = 100
MAX_BYTES = 60_000
NAME = 24  # characters of a name in a picture
TITLE = 70


@dataclass(frozen=True)
class Colours:
    paper: str
    ink: str
    soft: str
    line: str
    base: str
    head: str
    good: str
    bad: str
    open: str


LIGHT = Colours(
    "#ffffff", "#1f2328", "#59636e", "#d1d9e0", "#818b98", "#0969da", "#0969da", "#cf222e",
    "#9a6700",
)  # fmt: skip
DARK = Colours(
    "#0d1117", "#f0f6fc", "#9198a1", "#3d444d", "#9198a1", "#4493f8", "#4493f8", "#f85149",
    "#d29922",
)  # fmt: skip


@dataclass(frozen=True)
class Side:
    """One model's predictions and what a reader calls it."""

    name: str
    rows: Predictions


@dataclass(frozen=True)
class Canvas:
    """An empty figure in the colours of one tone."""

    figure: Any
    colours: Colours

    def axes(self, height: tuple[int, ...] = (1,)) -> list[Any]:
        """One above the other, with these heights, on one x axis."""
        found = self.figure.subplots(
            len(height), 1, sharex=True, squeeze=False, height_ratios=height
        )
        made = [row[0] for row in found]
        for axes in made:
            self.dress(axes)
        return made

    def dress(self, axes: Any) -> None:
        axes.set_facecolor(self.colours.paper)
        axes.tick_params(colors=self.colours.soft, labelsize=8)
        axes.set_axisbelow(True)
        for spine in axes.spines.values():
            spine.set_color(self.colours.line)
        for label in (axes.xaxis.label, axes.yaxis.label):
            label.set(color=self.colours.ink, size=9)

    def grid(self, axes: Any, **kind: Any) -> None:
        axes.grid(visible=True, color=self.colours.line, linewidth=0.6, **kind)

    def legend(self, axes: Any, place: str) -> None:
        axes.legend(loc=place, fontsize=8, labelcolor=self.colours.ink, frameon=False)

    def side(self, at: int, sides: list[Side]) -> str:
        return self.colours.head if at == len(sides) - 1 else self.colours.base


Painter = Callable[[Canvas], None]


@dataclass(frozen=True)
class Picture:
    """`size` in inches. The title stands in the picture: a comment shows nothing else of it."""

    name: str
    title: str
    painter: Painter
    size: tuple[float, float] = SIZE


def paint(picture: Picture) -> tuple[bytes, bytes]:
    """PNG for light and for dark pages. The same predictions give the same bytes: no time, no
    version is in them. The dark one takes its layout from the light one: finding it costs as much
    as drawing.
    """
    light, places = _paint(picture, LIGHT)
    return light, _paint(picture, DARK, places)[0]


def _paint(
    picture: Picture, colours: Colours, places: list[Any] | None = None
) -> tuple[bytes, list[Any]]:
    """The picture, and where in it the axes lie; at `places` where that is known."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=picture.size, dpi=DPI, facecolor=colours.paper)
    agg: Any = FigureCanvasAgg(figure)
    stream = io.BytesIO()
    with warnings.catch_warnings():  # a letter that no font has is drawn as an empty box
        warnings.filterwarnings("ignore", message=r"(?s).*Glyph \d+ .*missing")
        picture.painter(Canvas(figure, colours))
        title = plain_name(picture.title, TITLE)
        figure.axes[0].set_title(title, loc="left", size=9, color=colours.ink)
        if places is None:
            figure.set_layout_engine("constrained")
        else:
            for axes, place in zip(figure.axes, places, strict=True):
                axes.set_position(place)
        agg.print_png(stream, metadata={"Software": None})  # savefig would draw all twice
    return stream.getvalue(), [axes.get_position() for axes in figure.axes]


def plain_name(name: str, longest: int = NAME) -> str:
    """matplotlib would read `$…$` as mathematics, and leave out names that begin with `_`."""
    shown = clip(name, longest)
    while sum(1 + (east_asian_width(letter) in "WF") for letter in shown) > longest:
        shown = clip(shown, len(shown) - 1)
    escaped = (shown or "(blank)").replace("$", r"\$")
    return f"\u200b{escaped}" if escaped.startswith("_") else escaped

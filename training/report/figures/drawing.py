"""Draws one figure as an SVG element, in the page's fonts and the report's colours."""

import functools
import io
import re
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.ticker import PercentFormatter

# Blue and orange are distinguishable with every kind of colour vision; they only mean the labels of
# two, or two figures of one label.
POSITIVE, NEGATIVE, MODEL = "#2563a8", "#d3681c", "#3d5a6c"
INK, MUTED, GRID = "#1d2733", "#66717e", "#e3e7eb"

HALF, FULL = 4.4, 9.2
"""Widths in inches of figures that fill half of the page and all of it."""

# What would break a line or a page, and blanks at the ends, which terms of characters have.
_INVISIBLE = re.compile(r"^\s|\s$|[^\S ]|[\x00-\x1f\x7f]")
_FONT = "DejaVu Sans"  # comes with matplotlib, so widths are the same everywhere

_STYLE: dict[Any, Any] = {  # matplotlib types its keys one by one
    "svg.fonttype": "none",  # text stays text, in the page's font
    "font.family": _FONT,
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": "#b8c0c8",
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
}


class Drawing:
    """A figure that becomes an SVG element when it is done.

    Attributes
    ----------
    axes : Axes
        The axes to draw on.
    svg : str
        The element, after the `drawing` context has ended.
    """

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self.svg = ""
        self._names: list[tuple[Axis, list[str], dict[str, Any]]] = []

    def name(self, axis: Axis, names: Sequence[str], longest: int = 30, **style: Any) -> None:
        """Name the positions 0, 1, … of an axis; names may be in any script.

        Parameters
        ----------
        axis : Axis
        names : sequence of str
        longest : int
            Width at which a name is cut, in characters of Latin script.
        **style
            Of the texts, such as `rotation`.
        """
        # Names come from the data: dollar signs in them do not mark formulas.
        style = {"parse_math": False, "color": INK, **style}
        shown = [_cut(_INVISIBLE.sub("␣", name), longest) for name in names]
        axis.set_ticks(range(len(shown)), [_measured(name) for name in shown], **style)
        self._names.append((axis, shown, style))

    def place_names(self, figure: Figure) -> None:
        """Lay the figure out by texts that the font can measure, and write the names there."""
        if not self._names:
            return
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for axis, names, style in self._names:
            axis.set_ticks(range(len(names)), names, **style)


@contextmanager
def drawing(
    name: str, description: str, size: tuple[float, float] = (HALF, 3.75)
) -> Iterator[Drawing]:
    """Draw one figure.

    Parameters
    ----------
    name : str
        Prefix of the ids, which keeps them unique in a page.
    description : str
        Text for screen readers.
    size : tuple of float
        Width and height in inches.
    """
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        # The font only measures texts in other scripts: the page's fonts draw them.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        warnings.filterwarnings("ignore", r"Matplotlib currently does not support", UserWarning)
        figure = Figure(figsize=size, layout="constrained")
        current = Drawing(figure.add_subplot())
        yield current
        current.place_names(figure)
        buffer = io.StringIO()
        # Without creator and date, the same figures give the same bytes.
        figure.savefig(
            buffer, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date"))
        )
    current.svg = _element(buffer.getvalue(), name, description)


def as_shares(axes: Axes, x: str, y: str) -> None:
    """Make both axes go from 0 to 100%, with these titles."""
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), xlabel=x, ylabel=y)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_box_aspect(0.86)


def _element(svg: str, name: str, description: str) -> str:
    """Return a file of SVG as an element of a page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"(font: [^;\"]*px |font-family: )[^;\"]+", r"\g<1>var(--font)", svg)
    svg = re.sub(r'\swidth="[\d.]+pt"|\sheight="[\d.]+pt"', "", svg, count=2)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(description)}" ', 1)


def _cut(text: str, longest: int) -> str:
    """Return a text without what is beyond a width."""
    width = 0.0
    for position, character in enumerate(text):
        width += 1.7 if _is_wide(character) else 1
        if width > longest:
            return f"{text[:position].rstrip()}…"
    return text


def _measured(text: str) -> str:
    """Return a text that is as wide as another one in a script that the font may not have."""
    return "".join(_stand_in(character) for character in text)


@functools.cache
def _stand_in(character: str) -> str:
    if get_font(findfont(_FONT)).get_char_index(ord(character)):
        return character
    if unicodedata.combining(character):
        return ""
    return "W" if _is_wide(character) else "o"


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"

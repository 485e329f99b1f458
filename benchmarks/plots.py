"""Plots for the document. They share a style, and a colour means the same in all of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

OWN = "#1f6fb4"
OTHER = "#b4b9c0"
COLOURS = {
    "compiled": OWN,
    "scikit-learn, from the artifact": "#e08b1e",
    "scikit-learn, from a pickle": "#7a8088",
}
_STYLE: Any = {  # matplotlib's type for settings is a Literal of all their names
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e8eb",
    "svg.hashsalt": "sklearn-api",  # makes ids the same in every run
}


def bars(panels: Mapping[str, Mapping[str, float]], own: Sequence[str], *, columns: int) -> Figure:
    """Draw horizontal bars, with one panel for each mapping.

    Parameters
    ----------
    panels : mapping
        Values by name, from top to bottom, by the panel's title.
    own : sequence of str
        Names that get this project's colour.
    columns : int
        Number of panels in a row.
    """
    rows = -(-len(panels) // columns)
    longest = max(len(panel) for panel in panels.values())
    with mpl.rc_context(_STYLE):
        figure = Figure(
            figsize=(10, rows * (0.9 + 0.32 * longest)), layout="constrained", facecolor="white"
        )
        axes = figure.subplots(rows, columns, squeeze=False).flat
        for axis, (title, values) in zip(axes, panels.items(), strict=False):
            names = list(values)
            colours = [OWN if name in own else OTHER for name in names]
            drawn = axis.barh(names, list(values.values()), color=colours, height=0.7)
            axis.bar_label(drawn, [_digits(value) for value in values.values()], padding=3)
            axis.set_title(title)
            axis.invert_yaxis()
            axis.margins(x=0.28)
            axis.grid(visible=False, axis="y")
            axis.tick_params(axis="y", length=0)
    return figure


def lines(panels: Mapping[str, Mapping[str, Mapping[float, float]]], across: str) -> Figure:
    """Draw lines on logarithmic axes, with one panel for each mapping.

    Parameters
    ----------
    panels : mapping
        Mappings from x to y, by series (the keys of `COLOURS`), by the panel's title.
    across : str
        Label of the x axis.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(3.6 * len(panels), 3.4), layout="constrained", facecolor="white")
        axes = figure.subplots(1, len(panels), squeeze=False).flat
        for axis, (title, series) in zip(axes, panels.items(), strict=True):
            for name, points in series.items():
                axis.plot(
                    list(points), list(points.values()), "o-",
                    color=COLOURS[name], label=name, markersize=4, linewidth=1.8,
                )  # fmt: skip
            axis.set_title(title)
            axis.set_xlabel(across)
            axis.set_xscale("log")
            axis.set_yscale("log")
            _plain_numbers(axis)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return figure


def _plain_numbers(axis: Axes) -> None:
    for one in (axis.xaxis, axis.yaxis):
        one.set_major_formatter(lambda value, _: _short(value))
        one.set_minor_formatter(lambda value, _: "")


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _short(value: float) -> str:
    for divisor, ending in ((1e6, "M"), (1e3, "k")):
        if value >= divisor:
            return f"{value / divisor:.3g}{ending}"
    return f"{value:.3g}"

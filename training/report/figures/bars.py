"""Bars and dots beside names: of words, of inputs, of classes."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from training.report.figures.drawing import (
    FULL,
    HALF,
    INK,
    MODEL,
    MUTED,
    NEGATIVE,
    POSITIVE,
    drawing,
)

_DOTS = (("precision", POSITIVE, "o", 62), ("recall", NEGATIVE, "D", 26))


def words(weights: Sequence[tuple[str, float]], name: str, title: str, colour: str = MODEL) -> str:
    """Draw terms with their weights, the first one at the top.

    Parameters
    ----------
    weights : sequence of tuple
        Terms and weights, of which the sizes are drawn.
    name : str
        Of the figure, unique in the page.
    title : str
        What they are the words of, for screen readers.
    colour : str
    """
    with drawing(name, f"Words: {title}", (HALF, 0.3 + 0.235 * len(weights))) as done:
        axes = done.axes
        sizes = [abs(weight) for _, weight in weights]
        axes.barh(range(len(sizes)), sizes, color=colour, height=0.66)
        done.name(axes.yaxis, [term for term, _ in weights])
        axes.set(ylim=(len(sizes) - 0.4, -0.6), xticks=[])
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
    return done.svg


def counts(values: Mapping[str, int], name: str) -> str:
    """Draw how many rows each name stands for; `name` is the figure's, unique in the page."""
    most = max(max(values.values()), 1)
    width = FULL if len(values) > 12 else HALF
    with drawing(name, "Counts", (width, 0.4 + 0.27 * len(values))) as done:
        axes = done.axes
        axes.barh(range(len(values)), [*values.values()], color=MODEL, height=0.66)
        for row, value in enumerate(values.values()):
            axes.text(
                value + 0.012 * most, row, f"{value:,}", va="center_baseline", color=MUTED,
            )  # fmt: skip
        done.name(axes.yaxis, [*values])
        axes.set(xlim=(0, 1.12 * most), ylim=(len(values) - 0.4, -0.6), xticks=[])
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
    return done.svg


def importances(values: Sequence[tuple[str, float, float]], title: str) -> str:
    """Draw the importances of inputs, the first one at the top.

    Parameters
    ----------
    values : sequence of tuple
        Inputs, their importances, and the standard deviations of these.
    title : str
        Of the axis.
    """
    with drawing("importance", "Importance of inputs", (FULL, 0.75 + 0.26 * len(values))) as done:
        axes = done.axes
        names, sizes, deviations = zip(*values, strict=True)
        axes.barh(
            range(len(names)), sizes, xerr=deviations, color=MODEL, height=0.62,
            error_kw={"ecolor": MUTED, "elinewidth": 1.2},
        )  # fmt: skip
        axes.axvline(0, color=MUTED, linewidth=0.8)
        done.name(axes.yaxis, names)
        axes.set(ylim=(len(names) - 0.4, -0.6), xlabel=title)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
    return done.svg


def classes(by_class: Mapping[str, Mapping[str, Any]]) -> str:
    """Draw precision and recall of classes, the first one at the top.

    Parameters
    ----------
    by_class : mapping
        By the word of each class, as `Evaluation.metrics` returns it. Undefined figures are left
        out.
    """
    count = len(by_class)
    with drawing("classes", "Precision and recall of classes", (FULL, 1.0 + 0.27 * count)) as done:
        axes = done.axes
        for row, found in enumerate(by_class.values()):
            both = [found[name] for name in ("precision", "recall") if found[name] is not None]
            if len(both) == 2:
                axes.plot(both, [row, row], color=MUTED, linewidth=1.2, zorder=1)
        for name, colour, marker, size in _DOTS:
            known = [
                (found[name], row)
                for row, found in enumerate(by_class.values())
                if found[name] is not None
            ]
            axes.scatter(
                [value for value, _ in known], [row for _, row in known], s=size, marker=marker,
                color=colour, label=name, zorder=2, linewidth=0, clip_on=False,
            )  # fmt: skip
        done.name(axes.yaxis, [*by_class])
        _supports(axes, [found["support"] for found in by_class.values()])
        axes.set(xlim=(-0.01, 1.01), ylim=(count - 0.4, -0.6))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.spines["left"].set_visible(False)
        axes.legend(
            loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, borderaxespad=0.2,
            handletextpad=0.2, labelcolor=INK,
        )  # fmt: skip
    return done.svg


def _supports(axes: Axes, supports: Sequence[int]) -> None:
    """Write the number of rows of each class at the right."""
    for row, support in enumerate(supports):
        axes.text(
            1.02, row, f"{support:,}", va="center_baseline", color=MUTED, fontsize=8.5,
            transform=axes.get_yaxis_transform(),
        )  # fmt: skip

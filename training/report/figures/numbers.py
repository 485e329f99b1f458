"""Figures of a regression: predicted numbers against true ones, and the errors."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from training.metrics import amount
from training.report.figures.drawing import HALF, INK, MODEL, MUTED, NEGATIVE, drawing

DOTS = 1500
"""Rows that are drawn as dots; of more, every so many, and the worst."""

Floats = NDArray[np.float64]

_WORST = 20
_BARS = 41
_STEPS, _STEP = 12, 15  # of the line through the errors, and rows that each of them needs
_SPREAD = 1000  # of positive numbers, from which both axes are logarithmic


def predicted_against_true(truth: Floats, predicted: Floats) -> str:
    """Draw predicted numbers against true ones.

    Parameters
    ----------
    truth, predicted : ndarray of float
        Shape ``(n,)``.
    """
    shown = _some(np.abs(predicted - truth))
    with drawing("predicted", "Predicted against true numbers") as done:
        axes = done.axes
        both: Floats = np.concatenate([truth[shown], predicted[shown]])
        low, high = float(np.min(both)), float(np.max(both))
        axes.plot([low, high], [low, high], color=MUTED, linewidth=1, dashes=(4, 3), zorder=3)
        _dots(axes, truth[shown], predicted[shown])
        if is_logarithmic(truth, predicted):
            axes.set(xscale="log", yscale="log")
        else:
            _amounts(axes, both, both)
        axes.set(xlabel="true", ylabel="predicted")
        axes.set_box_aspect(0.86)
    return done.svg


def is_logarithmic(truth: Floats, predicted: Floats) -> bool:
    """Whether the numbers are positive and of many sizes, so that logarithms show more."""
    low = min(float(np.min(truth)), float(np.min(predicted)))
    return low > 0 and float(np.max(truth)) / low > _SPREAD


def residuals(values: Floats, rows: str) -> str:
    """Draw how the errors are distributed; the outermost bars hold what lies beyond them."""
    low, high = np.quantile(values, (0.005, 0.995))
    if low == high:
        low, high = low - 1, high + 1
    with drawing("residuals", "Distribution of the errors") as done:
        axes = done.axes
        axes.hist(
            np.clip(values, low, high), bins=_bars(values), color=MODEL, alpha=0.8, rwidth=0.94
        )
        axes.axvline(0, color=INK, linewidth=1, dashes=(4, 3))
        axes.grid(visible=False, axis="x")
        axes.set(xlabel="predicted − true", ylabel=rows)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.xaxis.set_major_formatter(_formatter(np.array([low, high])))
        axes.yaxis.set_major_formatter(_formatter(np.array([len(values)])))
        axes.set_box_aspect(0.86)
    return done.svg


def residuals_against_predicted(predicted: Floats, values: Floats) -> str:
    """Draw the errors against the predictions, with a line through their medians.

    Parameters
    ----------
    predicted, values : ndarray of float
        Shape ``(n,)``: predictions and their errors.
    """
    shown = _some(np.abs(values))
    with drawing("against", "Errors against predicted numbers") as done:
        axes = done.axes
        axes.axhline(0, color=INK, linewidth=1, dashes=(4, 3), zorder=3)
        _dots(axes, predicted[shown], values[shown])
        count = min(_STEPS, len(values) // _STEP)
        edges = np.unique(np.quantile(predicted, np.linspace(0, 1, count + 1)))
        if has_medians(values) and len(edges) > 1:
            step = np.clip(np.searchsorted(edges, predicted, "right") - 1, 0, len(edges) - 2)
            steps = [step == number for number in range(len(edges) - 1)]
            steps = [one for one in steps if one.any()]
            axes.plot(
                [np.median(predicted[one]) for one in steps],
                [np.median(values[one]) for one in steps],
                color=NEGATIVE, linewidth=1.6, zorder=4,
            )  # fmt: skip
        _amounts(axes, predicted[shown], values[shown])
        axes.set(xlabel="predicted", ylabel="predicted − true")
        axes.set_box_aspect(0.86)
    return done.svg


def sizes(values: Floats, rows: str) -> str:
    """Draw the share of the errors that are at most so large."""
    size = np.sort(np.abs(values))
    share = np.arange(1, len(size) + 1) / len(size)
    high = float(np.quantile(size, 0.99)) or 1.0
    shown = _some(size)
    with drawing("sizes", "Sizes of the errors") as done:
        axes = done.axes
        axes.plot(size[shown], share[shown], color=MODEL, drawstyle="steps-post")
        for quantile in (0.5, 0.9):
            limit = float(np.quantile(size, quantile))
            axes.plot(limit, quantile, "o", markersize=6, color=MODEL)
            left = limit > 0.55 * high  # there is no room at the right
            axes.annotate(
                f"{quantile:.0%} within {amount(limit)}", (limit, quantile),
                xytext=(-8, 4) if left else (8, -4), textcoords="offset points", color=INK,
                ha="right" if left else "left", va="bottom" if left else "top",
            )  # fmt: skip
        axes.set(
            xlim=(0, high),
            ylim=(0, 1.02),
            xlabel="size of the error",
            ylabel=f"share of the {rows}",
        )
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(_formatter(np.array([high])))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_box_aspect(0.86)
    return done.svg


def has_medians(values: Floats) -> bool:
    """Whether there are enough errors for a line through their medians."""
    return len(values) >= 2 * _STEP


def predictions(values: Floats, rows: str) -> str:
    """Draw how predicted numbers are distributed."""
    with drawing("predictions", "Distribution of the predictions", (HALF * 1.6, 3.0)) as done:
        axes = done.axes
        axes.hist(values, bins=_bars(values), color=MODEL, alpha=0.8, rwidth=0.94)
        axes.grid(visible=False, axis="x")
        axes.set(xlabel="predicted", ylabel=rows)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.xaxis.set_major_formatter(_formatter(values))
    return done.svg


def _bars(values: Floats) -> int:
    return int(np.clip(2 * np.sqrt(len(values)), 5, _BARS))


def _some(sizes: Floats) -> NDArray[np.int64]:
    """Return rows at equal distances, and those with the largest errors; at most `DOTS`."""
    count = len(sizes)
    if count <= DOTS:
        return np.arange(count)
    spaced = np.linspace(0, count - 1, DOTS - _WORST).astype(np.int64)
    return np.union1d(spaced, np.argsort(-sizes, kind="stable")[:_WORST])


def _dots(axes: Axes, x: Floats, y: Floats) -> None:
    size, alpha = (4.5, 0.6) if len(x) < 300 else (3.0, 0.35)
    axes.plot(x, y, "o", markersize=size, color=MODEL, alpha=alpha, markeredgewidth=0)


def _amounts(axes: Axes, x: Floats, y: Floats) -> None:
    for axis, values in ((axes.xaxis, x), (axes.yaxis, y)):
        axis.set_major_locator(MaxNLocator(5))
        axis.set_major_formatter(_formatter(values))


def _formatter(values: Floats) -> FuncFormatter:
    """Return a formatter that keeps large numbers short: 20k, 3M."""
    largest = float(np.abs(values).max())
    scale, unit = 1.0, ""
    for least, divisor, name in ((1e4, 1e3, "k"), (2e6, 1e6, "M"), (1e10, 1.0, "")):
        if largest >= least:
            scale, unit = divisor, name

    def shown(value: float, _: object) -> str:
        return f"{value / scale:.6g}{unit}".replace("-", "−") if value else "0"

    return FuncFormatter(shown)

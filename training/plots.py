"""Draws a model's evaluation as SVG elements of a page."""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from sklearn import metrics

from training.evaluation import Evaluation, reliability

# Blue and orange are distinguishable with every kind of colour vision; they only mean the labels.
POSITIVE, NEGATIVE, MODEL = "#2563a8", "#d3681c", "#3d5a6c"
INK, MUTED, GRID = "#1d2733", "#66717e", "#e3e7eb"
_POINTS = 400  # of a curve: more would not be visible
# Of terms that are characters: blanks at the ends, and what would break a line or a page.
_INVISIBLE = re.compile(r"^\s|\s$|[^\S ]|[\x00-\x1f\x7f]")

_STYLE: dict[Any, Any] = {  # matplotlib types its keys one by one
    "svg.fonttype": "none",  # text stays text, in the page's font
    "font.family": "DejaVu Sans",  # comes with matplotlib, so widths are the same everywhere
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
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
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


@contextmanager
def drawing(
    name: str, description: str, size: tuple[float, float] = (4.4, 3.75)
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
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=size, layout="constrained")
        current = Drawing(figure.add_subplot())
        yield current
        buffer = io.StringIO()
        with warnings.catch_warnings():
            # Terms may be in any script. The font only measures them: the page's fonts draw them.
            warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
            # Without creator and date, the same figures give the same bytes.
            figure.savefig(
                buffer, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date"))
            )
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"(font: [^;\"]*px )[^;\"]+", r"\g<1>var(--font)", svg)
    svg = re.sub(r'\swidth="[\d.]+pt"|\sheight="[\d.]+pt"', "", svg, count=2)
    current.svg = svg.replace("<svg ", f'<svg role="img" aria-label="{description}" ', 1)


def roc(evaluation: Evaluation) -> str:
    """Draw the ROC curve: the positive reviews found against the false alarms."""
    wrong, right, _ = metrics.roc_curve(evaluation.labels, evaluation.scores)
    area = metrics.roc_auc_score(evaluation.labels, evaluation.scores)
    with drawing("roc", f"ROC curve, area {area:.4f}") as done:
        axes = done.axes
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, dashes=(4, 3))
        _curve(axes, wrong, right)
        axes.text(0.97, 0.05, f"area {area:.4f}", ha="right", fontsize=11)
        _shares(axes, "negative reviews classified as positive", "positive reviews found")
    return done.svg


def precision_recall(evaluation: Evaluation) -> str:
    """Draw the precision of the positive predictions against their recall."""
    precision, recall, _ = metrics.precision_recall_curve(
        evaluation.labels, evaluation.scores, drop_intermediate=True
    )
    average = metrics.average_precision_score(evaluation.labels, evaluation.scores)
    base = evaluation.labels.mean()
    with drawing("pr", f"Precision-recall curve, average precision {average:.4f}") as done:
        axes = done.axes
        axes.plot([0, 1], [base, base], color=MUTED, linewidth=1, dashes=(4, 3))
        _curve(axes, recall, precision)
        axes.text(0.03, 0.05, f"average precision {average:.4f}", fontsize=11)
        _shares(
            axes, "recall: positive reviews found", "precision: found reviews that are positive"
        )
    return done.svg


def confusion(matrix: Sequence[Sequence[int]], labels: Sequence[str]) -> str:
    """Draw the true labels against the predicted ones."""
    counts = np.array(matrix)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    with drawing("confusion", "Confusion matrix") as done:
        axes = done.axes
        for (row, column), count in np.ndenumerate(counts):
            share = shares[row, column]
            axes.add_patch(
                mpl.patches.Rectangle(
                    (column - 0.48, row - 0.48), 0.96, 0.96, color=MODEL,
                    alpha=0.08 + 0.92 * share, linewidth=0,
                )
            )  # fmt: skip
            ink = "white" if share > 0.55 else INK
            axes.text(column, row - 0.04, f"{count:,}", ha="center", fontsize=16, color=ink)
            axes.text(column, row + 0.17, f"{share:.1%}", ha="center", fontsize=10, color=ink)
        axes.set(xlim=(-0.5, 1.5), ylim=(1.5, -0.5), xlabel="predicted", ylabel="true")
        names = [label.removesuffix(" Review") for label in labels]
        axes.set_xticks([0, 1], names)
        axes.set_yticks([0, 1], names, rotation=90, va="center")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.set_box_aspect(0.86)
    return done.svg


def calibration(evaluation: Evaluation) -> str:
    """Draw the predicted probabilities against the actual shares of positive reviews."""
    bins = reliability(evaluation.labels, evaluation.probabilities)
    with drawing(
        "calibration", "Calibration: predicted probability against share of positive reviews"
    ) as done:
        axes = done.axes
        # The area of a dot shows the size of its bin; the smallest is still visible.
        area = 18 + 240 * bins.rows / max(bins.rows)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, dashes=(4, 3))
        axes.plot(bins.predicted, bins.share, color=MODEL, linewidth=1.4)
        axes.scatter(
            bins.predicted, bins.share, s=area, color=MODEL, alpha=0.75, linewidth=0, clip_on=False
        )
        axes.text(0.97, 0.05, "larger dots: more reviews", ha="right", color=MUTED)
        _shares(axes, "predicted probability", "share of positive reviews")
    return done.svg


def words(weights: Sequence[tuple[str, float]], name: str, colour: str) -> str:
    """Draw terms with their weights, the first one at the top; `name` is the figure's name."""
    height = 0.6 + 0.235 * len(weights)
    terms = [_INVISIBLE.sub("␣", term) for term, _ in weights]
    values = [abs(value) for _, value in weights]
    with drawing(name, f"Words: {name}", (4.4, height)) as done:
        axes = done.axes
        axes.barh(range(len(terms)), values, color=colour, height=0.66)
        # Terms come from the data: dollar signs in them do not mark formulas.
        axes.set_yticks(range(len(terms)), terms, parse_math=False, color=INK)
        axes.set(ylim=(len(terms) - 0.4, -0.6), xticks=[])
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
    return done.svg


def _shares(axes: Axes, x: str, y: str) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), xlabel=x, ylabel=y)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_box_aspect(0.86)


def _curve(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Draw a curve and the area below it, with points at equal distances along the curve."""
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    kept = np.unique(np.searchsorted(length, np.linspace(0, length[-1], _POINTS)))
    axes.fill_between(x[kept], y[kept], color=MODEL, alpha=0.08, linewidth=0)
    axes.plot(x[kept], y[kept], color=MODEL)

"""What a model's evaluation looks like, drawn as SVG that stands inside a page."""

import io
import re
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

# Blue and orange are told apart by every kind of eye, and mean the labels and nothing else.
POSITIVE, NEGATIVE, MODEL = "#2563a8", "#d3681c", "#3d5a6c"
INK, MUTED, GRID = "#1d2733", "#66717e", "#e3e7eb"
_POINTS = 400  # of a curve: more are not seen

_STYLE: dict[Any, Any] = {  # matplotlib types its keys one by one
    "svg.fonttype": "none",  # text stays text, in the page's font
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that widths are the same everywhere
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
        Where to draw.
    svg : str
        The element, once the `drawing` has ended.
    """

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self.svg = ""


@contextmanager
def drawing(
    name: str, described: str, size: tuple[float, float] = (4.4, 3.75)
) -> Iterator[Drawing]:
    """Draw one figure; `name` keeps its ids from those of the others, `described` is read aloud."""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=size, layout="constrained")
        current = Drawing(figure.add_subplot())
        yield current
        buffer = io.StringIO()
        # No creator, no date: the same figures give the same bytes.
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
    current.svg = svg.replace("<svg ", f'<svg role="img" aria-label="{described}" ', 1)


def roc(evaluation: Evaluation) -> str:
    """Draw how many positive reviews are found at the price of how many false alarms."""
    wrong, right, _ = metrics.roc_curve(evaluation.labels, evaluation.scores)
    area = metrics.roc_auc_score(evaluation.labels, evaluation.scores)
    with drawing("roc", f"ROC curve, area {area:.4f}") as done:
        axes = done.axes
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, dashes=(4, 3))
        _curve(axes, wrong, right)
        axes.text(0.97, 0.05, f"area {area:.4f}", ha="right", fontsize=11)
        _shares(axes, "negative reviews taken for positive", "positive reviews found")
    return done.svg


def precision_recall(evaluation: Evaluation) -> str:
    """Draw how many of those called positive are, against how many of the positive are found."""
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
        _shares(axes, "recall: positive reviews found", "precision: found that are positive")
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
    """Draw the probabilities that were said against the shares that were positive."""
    bins = reliability(evaluation.labels, evaluation.probabilities)
    with drawing("calibration", "Calibration: probability said against share of positive") as done:
        axes = done.axes
        # The size of a bin is the area of its dot, none too small to be seen.
        area = 18 + 240 * bins.rows / max(bins.rows)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, dashes=(4, 3))
        axes.plot(bins.said, bins.share, color=MODEL, linewidth=1.4)
        axes.scatter(
            bins.said, bins.share, s=area, color=MODEL, alpha=0.75, linewidth=0, clip_on=False
        )
        axes.text(0.97, 0.05, "larger dots: more reviews", ha="right", color=MUTED)
        _shares(axes, "probability that was said", "share that is positive")
    return done.svg


def words(weights: Sequence[tuple[str, float]], name: str, colour: str) -> str:
    """Draw terms with their weights, the first one uppermost; `name` is that of the figure."""
    height = 0.6 + 0.235 * len(weights)
    terms = [term for term, _ in weights]
    values = [abs(value) for _, value in weights]
    with drawing(name, f"Words: {name}", (4.4, height)) as done:
        axes = done.axes
        axes.barh(range(len(terms)), values, color=colour, height=0.66)
        # A term is the data's: dollar signs in it are no formula.
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
    """Draw a curve and the area below it, by points evenly far apart along it."""
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    kept = np.unique(np.searchsorted(length, np.linspace(0, length[-1], _POINTS)))
    axes.fill_between(x[kept], y[kept], color=MODEL, alpha=0.08, linewidth=0)
    axes.plot(x[kept], y[kept], color=MODEL)

"""Curves: of two classes over all thresholds, and of probabilities."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sklearn import metrics

from training.evaluation import Reliability
from training.report.figures.drawing import MODEL, MUTED, as_shares, drawing

_POINTS = 400  # of a curve: more would not be visible


def roc(truth: NDArray[np.int64], ranking: NDArray[np.float64], words: tuple[str, str]) -> str:
    """Draw the ROC curve: how many of the second class are found, against the false alarms.

    Parameters
    ----------
    truth : ndarray of int
        Shape ``(n,)``, 0 and 1.
    ranking : ndarray of float
        Shape ``(n,)``, higher for the second class.
    words : tuple of str
        What both classes are called.
    """
    wrong, right, _ = metrics.roc_curve(truth, ranking)
    area = metrics.roc_auc_score(truth, ranking)
    with drawing("roc", f"ROC curve, area {area:.4f}") as done:
        axes = done.axes
        _diagonal(axes)
        _curve(axes, wrong, right)
        axes.text(0.97, 0.05, f"area {area:.4f}", ha="right", fontsize=11)
        as_shares(axes, f"{words[0]} taken for {words[1]}", f"{words[1]} found")
        _plain_titles(axes)
    return done.svg


def precision_recall(
    truth: NDArray[np.int64], ranking: NDArray[np.float64], words: tuple[str, str]
) -> str:
    """Draw the precision of predicting the second class against its recall.

    The parameters are those of `roc`.
    """
    precision, recall, _ = metrics.precision_recall_curve(truth, ranking, drop_intermediate=True)
    average = metrics.average_precision_score(truth, ranking)
    with drawing("pr", f"Precision-recall curve, average precision {average:.4f}") as done:
        axes = done.axes
        axes.plot([0, 1], [truth.mean()] * 2, color=MUTED, linewidth=1, dashes=(4, 3))
        _curve(axes, recall, precision)
        axes.text(0.03, 0.05, f"average precision {average:.4f}", fontsize=11)
        as_shares(axes, f"recall: {words[1]} found", f"precision: found and {words[1]}")
        _plain_titles(axes)
    return done.svg


def calibration(bins: Reliability, what: str, rows: str) -> str:
    """Draw predicted probabilities against how often they come true.

    Parameters
    ----------
    bins : Reliability
    what : str
        The title of the axis of what comes true.
    rows : str
        What the rows are called.
    """
    with drawing("calibration", f"Calibration: predicted probability against {what}") as done:
        axes = done.axes
        # The area of a dot shows the size of its bin; the smallest is still visible.
        area = 18 + 240 * bins.rows / max(bins.rows)
        _diagonal(axes)
        axes.plot(bins.predicted, bins.share, color=MODEL, linewidth=1.4)
        axes.scatter(
            bins.predicted, bins.share, s=area, color=MODEL, alpha=0.75, linewidth=0, clip_on=False
        )
        axes.text(0.97, 0.05, f"larger dots: more {rows}", ha="right", color=MUTED)
        as_shares(axes, "predicted probability", what)
        _plain_titles(axes)
    return done.svg


def _diagonal(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, dashes=(4, 3))


def _plain_titles(axes: Axes) -> None:
    """Show words of the data as they are: dollar signs in them do not mark formulas."""
    axes.xaxis.label.set_parse_math(False)
    axes.yaxis.label.set_parse_math(False)


def _curve(axes: Axes, x: NDArray[Any], y: NDArray[Any]) -> None:
    """Draw a curve and the area below it, with points at equal distances along the curve."""
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    kept = np.unique(np.searchsorted(length, np.linspace(0, length[-1], _POINTS)))
    axes.fill_between(x[kept], y[kept], color=MODEL, alpha=0.08, linewidth=0)
    axes.plot(x[kept], y[kept], color=MODEL)

"""Confusion matrices, from two classes to many."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from training.report.figures.drawing import FULL, HALF, INK, MODEL, drawing

MOST = 40
"""Classes in a figure; `most_confused` chooses among more."""

PERCENTAGES = 8
"""Classes up to which there is room for them."""

_LONGEST = 24  # characters of a name


def confusion(matrix: NDArray[np.int64], words: Sequence[str]) -> str:
    """Draw the true classes against the predicted ones, shaded by shares of the true class.

    Parameters
    ----------
    matrix : ndarray of int
        Shape ``(classes, classes)``, at most `MOST`.
    words : sequence of str
        What the classes are called.
    """
    count = len(words)
    width, height = _size(words)
    across = (width - 1.6) / count * 72  # points of a cell, less what the names take
    shares = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    digits = max(len(f"{int(np.max(matrix)):,}"), 2)
    size = min(16 if count == 2 else 12, 0.9 * across / (0.64 * digits), 72 * height / count / 2.4)
    with drawing("confusion", f"Confusion matrix of {count} classes", (width, height)) as done:
        axes = done.axes
        for (row, column), number in np.ndenumerate(matrix):
            share = float(shares[row, column])
            if number or count <= PERCENTAGES:  # of many classes, most cells are empty
                _shade(axes, row, column, share)
            ink = "white" if share > 0.55 else INK
            style: dict[str, Any] = {"ha": "center", "va": "center_baseline", "color": ink}
            if count > PERCENTAGES:
                if number:
                    axes.text(column, row, f"{number:,}", fontsize=size, **style)
                continue
            axes.text(column, row - 0.11, f"{number:,}", fontsize=size, **style)
            axes.text(column, row + 0.22, f"{share:.1%}", fontsize=0.68 * size, **style)
        axes.set(
            xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5), xlabel="predicted", ylabel="true"
        )
        _name(done, words, across)
        axes.grid(visible=False)
        axes.spines[:].set_visible(count > PERCENTAGES)
        if count == 2:
            axes.set_box_aspect(0.86)
    return done.svg


def most_confused(matrix: NDArray[np.int64], count: int = MOST) -> list[int]:
    """Return the classes that are most often taken for others or others for them, in order."""
    wrong = matrix - np.diag(matrix.diagonal())
    order = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")
    return sorted(int(one) for one in order[:count])


def confusions(matrix: NDArray[np.int64], count: int) -> list[tuple[int, int]]:
    """Return pairs of a true class and another one predicted for it, the most frequent first."""
    wrong = matrix - np.diag(matrix.diagonal())
    order = np.argsort(-wrong, axis=None, kind="stable")[:count]
    pairs = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return [(int(row), int(column)) for row, column in pairs if wrong[row, column]]


def is_small(words: Sequence[str]) -> bool:
    """Whether half of the page is wide enough for the names of classes beside each other."""
    return len(words) == 2 or (len(words) <= 4 and _fits(words, (HALF - 1.6) / len(words) * 72))


def _size(words: Sequence[str]) -> tuple[float, float]:
    """Return width and height in inches."""
    count = len(words)
    if is_small(words):
        return HALF, 3.75
    return FULL, 1.2 + max(0.24 * count, min(0.55 * count, 4.2))


def _shade(axes: Axes, row: int, column: int, share: float) -> None:
    """Draw a cell, the darker the larger its share."""
    alpha = 0.06 + 0.94 * share if share else 0.03
    cell = mpl.patches.Rectangle(
        (column - 0.48, row - 0.48), 0.96, 0.96, color=MODEL, alpha=alpha, linewidth=0
    )
    axes.add_patch(cell)


def _name(done: Any, words: Sequence[str], across: float) -> None:
    axes = done.axes
    if len(words) == 2:
        done.name(axes.xaxis, words, _LONGEST)
        done.name(axes.yaxis, words, _LONGEST, rotation=90, va="center")
        return
    small = {"fontsize": 9.5 if len(words) <= 25 else 8}
    done.name(axes.yaxis, words, _LONGEST, **small)
    done.name(
        axes.xaxis, words, _LONGEST, **small, **({} if _fits(words, across) else {"rotation": 90})
    )


def _fits(words: Sequence[str], across: float) -> bool:
    """Whether all names fit beside each other, each into so many points."""
    return max(min(len(word), _LONGEST) for word in words) * 6.2 < across

"""Tables of metrics, 80 columns wide."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from training.description import shortened

WIDTH = 80
MOST_CLASSES = 20
"""Classes in a table; of more, those with the lowest F1."""

_LONGEST = 15  # characters of a word in a confusion matrix, so that two of them fit in a line


def confusion_table(matrix: Sequence[Sequence[int]], words: Sequence[str]) -> Table:
    """Return the confusion matrix of two classes: the true ones down, the predicted ones across."""
    names = [shortened(word, _LONGEST) for word in words]
    table = Table("")
    for name in names:
        table.add_column(Text(f"predicted {name}"))
    for name, row in zip(names, matrix, strict=True):
        table.add_row(Text(f"true {name}"), *(f"{count:,}" for count in row))
    return table


def class_table(by_class: Mapping[str, Mapping[str, Any]], rows: str) -> Table:
    """Return precision, recall and F1 of classes.

    Parameters
    ----------
    by_class : mapping
        By the word of each class, as `Evaluation.metrics` returns it.
    rows : str
        What the rows are called, such as ``texts``.
    """
    table = Table(box=box.SIMPLE_HEAD, width=WIDTH, padding=(0, 1))
    table.add_column("Class", ratio=1, no_wrap=True)
    for title in (rows.capitalize(), "Precision", "Recall", "F1"):
        table.add_column(title, justify="right", no_wrap=True)
    shown = [*by_class.items()]
    if len(shown) > MOST_CLASSES:
        shown.sort(key=lambda pair: (pair[1]["f1"] is None, pair[1]["f1"]))
        table.caption = f"the {MOST_CLASSES} of {len(shown)} classes with the lowest F1"
        table.caption_justify = "left"
    for word, found in shown[:MOST_CLASSES]:
        figures = (found["precision"], found["recall"], found["f1"])
        table.add_row(
            Text(word, overflow="ellipsis"),
            f"{found['support']:,}",
            *("–" if figure is None else f"{figure:.4f}" for figure in figures),
        )
    return table

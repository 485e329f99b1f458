"""Data sets in memory, without a file."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_api.signature import BINARY, MULTICLASS, MULTILABEL, REGRESSION, TABLE, TEXT
from training.dataset import Dataset


def dataset(rows: Any, targets: Any, classes: Sequence[Any] | None = None) -> Dataset:
    """Return texts, or a DataFrame, with classes; with numbers if they are floats.

    With `classes`, the targets are indicators of several labels.
    """
    values = np.asarray(targets)
    found = sorted(set(values.ravel().tolist())) if classes is None else list(classes)
    if classes is not None:
        task = MULTILABEL
    elif values.dtype.kind == "f":
        task, found = REGRESSION, []
    else:
        task = BINARY if len(found) == 2 else MULTICLASS
    table = hasattr(rows, "columns")
    return Dataset(
        TABLE if table else TEXT,
        task,
        rows if table else list(rows),
        values,
        found,
        "made-up data",
        "",
        tuple(rows.columns) if table else ("text",),
        "target",
    )

"""Writes and reads pickles, which peers serve and the article's way loads.

Only pickles that the benchmark has just written are read.
"""

from pathlib import Path
from typing import Any

import joblib


def write(pipeline: Any, path: Path) -> None:
    """Write a fitted pipeline as scikit-learn's documentation suggests."""
    temporary = path.with_suffix(".part")
    joblib.dump(pipeline, temporary)
    temporary.replace(path)


def read(path: Path) -> Any:
    """Load a pipeline that `write` has written."""
    return joblib.load(path)

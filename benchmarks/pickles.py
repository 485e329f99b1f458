"""Pickles, for the comparison with them: what peers serve, and what the article's way loads.

Only those are loaded that the benchmark itself has just written.
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
    """Load what `write` has written."""
    return joblib.load(path)

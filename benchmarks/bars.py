"""How well the default recipes do on public data: a figure for each data set, and its bar.

Only columns are named; no option chooses a recipe or a parameter.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from scripts.lib.console import ERR, OUT, step
from training.dataset import Dataset, read_dataset, read_test
from training.options import Options
from training.terminal import Terminal

FOLDS = 5


@dataclass(frozen=True)
class Bar:
    """A figure that the default recipe has to reach.

    Attributes
    ----------
    data : str
        What it is measured on.
    figure : str
        What is measured.
    least : float
        The bar.
    files : tuple of str
        Names of the files that it needs, without their extension.
    measure : callable
        Takes the files and returns the figure.
    """

    data: str
    figure: str
    least: float
    files: tuple[str, ...]
    measure: Callable[..., float]


def find(folder: Path, name: str) -> Path | None:
    """Return a file in a folder or its subfolders, in any of the formats that training reads."""
    return next(iter(sorted(folder.rglob(f"{name}.*"))), None)


def check(bar: Bar, folder: Path) -> bool | None:
    """Measure, and print the figure; return whether the bar is met, None if a file is missing."""
    files = [find(folder, name) for name in bar.files]
    missing = [name for name, file in zip(bar.files, files, strict=True) if file is None]
    if missing:
        names = " and ".join(f"{name}.csv" for name in missing)
        OUT.print(f"- {bar.data}: skipped, {folder} has no {names}", markup=False)
        return None
    with step(f"Measuring on {bar.data}"):
        found = bar.measure(*files)
    met = found >= bar.least
    (OUT if met else ERR).print(
        f"{'✓' if met else '✗'} {bar.data}: {bar.figure} {found:.4f}, at least {bar.least}",
        markup=False,
    )
    return met


def accuracy(train: Path, test: Path) -> float:
    """Return the accuracy on a test split."""
    from training.fit import fit  # it imports scikit-learn, which --help does not need

    options = Options(str(train), test_source=str(test), name="bench")
    dataset = read_dataset(options)
    others = read_test(options, dataset)
    model = fit(dataset, options, Terminal(Console(quiet=True)))
    return float((model.pipeline.predict(others.rows) == others.targets).mean())


def roc_auc(file: Path, target: str) -> float:
    """Return the mean area under the ROC curve in cross-validation."""
    from sklearn.metrics import roc_auc_score

    return float(
        np.mean(
            [
                roc_auc_score(others.targets, model.predict_proba(others.rows)[:, 1])
                for model, others in _folds(file, target)
            ]
        )
    )


def r_squared(file: Path, target: str) -> float:
    """Return the mean R² in cross-validation."""
    from sklearn.metrics import r2_score

    return float(
        np.mean(
            [
                r2_score(others.targets, model.predict(others.rows))
                for model, others in _folds(file, target)
            ]
        )
    )


def _folds(file: Path, target: str) -> Iterator[tuple[Any, Dataset]]:
    """Yield a pipeline that was fitted on all folds but one, and the rows of that one."""
    from sklearn.model_selection import KFold, StratifiedKFold

    from training.fit import fit

    options = Options(str(file), target=target, name="bench")
    dataset = read_dataset(options)
    folds = StratifiedKFold if dataset.classes else KFold
    rows = np.arange(len(dataset))
    for part, rest in folds(FOLDS, shuffle=True, random_state=0).split(rows, dataset.targets):
        model = fit(dataset.take(part), options, Terminal(Console(quiet=True)))
        yield model.pipeline, dataset.take(rest)


BARS = {
    "trec": Bar("TREC, test split", "accuracy", 0.89, ("trec_train", "trec_test"), accuracy),
    "telco": Bar(
        "telco customers, five folds",
        "area under ROC",
        0.840,
        ("telco",),
        lambda file: roc_auc(file, "Churn"),
    ),
    "diamonds": Bar(
        "diamonds, five folds", "R²", 0.975, ("diamonds",), lambda file: r_squared(file, "price")
    ),
}

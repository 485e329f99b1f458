"""The names of metrics, and how people see them.

An evaluation measures them, and a manifest stores them. Nothing here imports scikit-learn, so that
tables of versions do not wait for it.
"""

from collections.abc import Mapping
from typing import Any

from sklearn_api.signature import (
    BINARY,
    MULTICLASS,
    MULTILABEL,
    REGRESSION,
    TABLE,
    TEXT,
)

TITLES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "subset_accuracy": "all labels right",
    "hamming_loss": "Hamming loss",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "ece": "calibration error",
    "brier": "Brier score",
    "r2": "R²",
    "mean_absolute_error": "mean absolute error",
    "median_absolute_error": "median absolute error",
    "root_mean_squared_error": "root mean squared error",
    "target_mean": "mean of the target",
}
"""What people see for the name of a metric."""

MAIN = {
    BINARY: ("accuracy", "f1", "roc_auc", "ece"),
    MULTICLASS: ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "ece"),
    MULTILABEL: ("micro_f1", "macro_f1", "subset_accuracy", "hamming_loss"),
    REGRESSION: (
        "r2", "mean_absolute_error", "median_absolute_error", "root_mean_squared_error",
        "target_mean",
    ),
}  # fmt: skip
"""The metrics of each task that are worth a line, the most important one first."""

NOUNS = {TEXT: "texts", TABLE: "rows"}
"""What the instances of each kind of model are called."""

_HEADLINES = tuple(names[0] for names in MAIN.values())
_AMOUNTS = {*MAIN[REGRESSION]} - {"r2"}  # in the unit of the target


def headline(metrics: Mapping[str, Any]) -> tuple[str, float | None] | None:
    """Return the title and the value of the most important metric.

    Returns
    -------
    tuple or None
        Such as ``("accuracy", 0.91)`` or ``("R²", 0.98)``, the value None if it is undefined. None
        if nothing was measured.
    """
    for name in _HEADLINES:
        value = metrics.get(name, "")
        if value is None or isinstance(value, float):
            return TITLES[name], value
    return None


def headline_text(metrics: Mapping[str, Any]) -> str:
    """Return the most important metric as text, empty if nothing was measured."""
    found = headline(metrics)
    return "" if found is None else f"{found[0]} {share(found[1])}"


def main_figures(metrics: Mapping[str, Any], task: str) -> dict[str, str]:
    """Return the main metrics of a task as text, by their titles; without the undefined ones."""
    return {
        TITLES[name]: text_of(name, metrics[name])
        for name in MAIN.get(task, ())
        if metrics.get(name) is not None
    }


def text_of(name: str, value: float | None) -> str:
    """Return a metric as text: a share with four digits, an amount with four significant ones."""
    return amount(value) if name in _AMOUNTS else share(value)


def amount(value: float | None) -> str:
    """Return a number of any size as text, with four significant digits or all whole ones."""
    if value is None:
        return "undefined"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e12 else f"{value:.4g}"


def share(value: float | None) -> str:
    """Return a metric without a unit as text, with four digits."""
    return "undefined" if value is None else f"{value:.4f}"


def capitalised(text: str) -> str:
    """Return a text with a capital letter at the beginning, and its others as they are."""
    return text[:1].upper() + text[1:]


def about_seen(metrics: Mapping[str, Any], kind: str) -> str | None:
    """Return a sentence about the rows that the model was both fitted and measured on.

    Parameters
    ----------
    metrics : mapping
        As `Evaluation.metrics` returns them.
    kind : str
        The signature's.

    Returns
    -------
    str or None
        Without a full stop; None if there are no such rows.
    """
    seen, rows = metrics.get("rows_seen"), metrics["rows"]
    if not seen:
        return None
    same = "word for word" if kind == TEXT else "value for value"
    if seen == rows:
        return (
            f"all {rows:,} {NOUNS[kind]} that the model was measured on are also among those that "
            f"it was fitted on, {same}: the figures say nothing about others"
        )
    found = headline(metrics)
    name = next((name for name in _HEADLINES if name in metrics), "")
    unseen = metrics.get(f"{name}_unseen")
    without = f"; {found[0]} without them: {share(unseen)}" if found and unseen is not None else ""
    return (
        f"{seen:,} of the {NOUNS[kind]} that the model was measured on are also among those that "
        f"it was fitted on, {same}{without}"
    )

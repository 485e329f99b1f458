"""The names of metrics, and how people see them."""

import subprocess
import sys

import pytest

from scripts.lib.project import ROOT
from sklearn_api.signature import BINARY, MULTILABEL, REGRESSION, TABLE, TEXT
from training.metrics import about_seen, amount, headline, headline_text, main_figures, text_of

SEEN = {"accuracy": 0.9, "accuracy_unseen": 0.85, "rows": 20, "rows_seen": 4}


@pytest.mark.parametrize(
    ("metrics", "found", "text"),
    [
        ({"accuracy": 0.875, "f1": 0.5}, ("accuracy", 0.875), "accuracy 0.8750"),
        ({"r2": -0.25, "mean_absolute_error": 9.0}, ("R²", -0.25), "R² -0.2500"),
        ({"macro_f1": 0.1, "micro_f1": 0.5}, ("micro F1", 0.5), "micro F1 0.5000"),
        ({"r2": None}, ("R²", None), "R² undefined"),
        ({"predicted": {"a": 1}, "rows": 1}, None, ""),
        ({"accuracy": "high"}, None, ""),  # of another version of the code
    ],
)
def test_the_headline(metrics: dict[str, object], found: object, text: str) -> None:
    """The most important metric of the task, whatever others there are."""
    assert headline(metrics) == found
    assert headline_text(metrics) == text


def test_main_figures_leave_out_the_undefined() -> None:
    """A model without probabilities has no calibration error to show."""
    metrics = {"accuracy": 0.5, "f1": 0.25, "roc_auc": None, "ece": None, "brier": 0.1}
    assert main_figures(metrics, BINARY) == {"accuracy": "0.5000", "F1": "0.2500"}
    assert main_figures({"rows": 3}, "cluster") == {}
    assert [*main_figures({"subset_accuracy": 1.0}, MULTILABEL)] == ["all labels right"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(277.83, "277.8"), (21554.7, "21,555"), (0.00012345, "0.0001234"), (0.0, "0"), (-2e15, "-2e+15"),
     (None, "undefined")],
)  # fmt: skip
def test_amounts(value: float | None, text: str) -> None:
    """Amounts are in the unit of the target, so that their size is anything."""
    assert amount(value) == text
    assert text_of("mean_absolute_error", value) == text
    if value == 277.83:
        assert main_figures({"mean_absolute_error": value}, REGRESSION) == {
            "mean absolute error": text
        }


def test_what_is_said_of_seen_rows() -> None:
    """Some of them, with the figure without them; all of them; none; or not known."""
    assert about_seen(SEEN, TEXT) == (
        "4 of the texts that the model was measured on are also among those that it was fitted on, "
        "word for word; accuracy without them: 0.8500"
    )
    assert about_seen({"rows": 5, "rows_seen": 2, "predicted": {}}, TABLE) == (
        "2 of the rows that the model was measured on are also among those that it was fitted on, "
        "value for value"
    )
    everything = {**SEEN, "rows_seen": 20, "accuracy_unseen": None}
    assert about_seen(everything, TEXT) == (
        "all 20 texts that the model was measured on are also among those that it was fitted on, "
        "word for word: the figures say nothing about others"
    )
    assert about_seen({**SEEN, "rows_seen": 0}, TEXT) is None
    assert about_seen({**SEEN, "rows_seen": None}, TEXT) is None


def test_tables_of_versions_do_not_import_scikit_learn() -> None:
    """`list` and `show` do not wait for it."""
    code = (
        "import sys, training.tables, training.terminal\n"
        "print({'numpy', 'sklearn', 'matplotlib'} & set(sys.modules))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout == "set()\n"

"""What `list`, `show` and training print, 80 columns wide."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from sklearn_api.signature import (
    BINARY,
    CLUSTER,
    INTEGER,
    MULTICLASS,
    MULTILABEL,
    NUMBER,
    REGRESSION,
    STRING,
    TABLE,
    TEXT,
    Input,
    Label,
    Signature,
)
from tests.helpers.fakes import FakeS3
from tests.helpers.releases import bar, named, registry, release
from training.artifact.manifest import Manifest
from training.publish import publish
from training.tables import manifest_tables, versions_table
from training.terminal import Terminal

INPUTS = (
    Input("plan", STRING, True, ("basic", "plus [b]", "pro"), True, "plus [b]", True),
    Input("a_column_with_quite_a_long_name_indeed", STRING, False, tuple("abcdefghij"), False, "a"),
    Input("tenure", NUMBER, True, None, False, 3.5),
    Input("seats", INTEGER, False, None, False, 0),
)
FIGURES = {"precision": 0.5, "recall": 0.25, "f1": 1 / 3, "support": 1234}
BINARY_METRICS: dict[str, Any] = {
    "accuracy": 0.875, "f1": 0.5, "roc_auc": 0.75, "ece": None, "confusion": [[1, 2], [3, 4]],
    "rows": 10, "rows_seen": 0, "source": "customers.csv",
}  # fmt: skip


def labels(*words: str) -> tuple[Label, ...]:
    return tuple(Label(number, word) for number, word in enumerate(words))


def manifest(task: str, words: Any = (), kind: str = TABLE, **metrics: Any) -> Manifest:
    inputs = INPUTS if kind == TABLE else (Input("text", STRING, nullable=False),)
    signature = Signature(kind, task, inputs, labels(*words))
    found = named(1).manifest
    metrics = {"rows": 10, "rows_seen": 0, "source": "customers.csv", **metrics}
    return replace(found, signature=signature.to_dict(), metrics=metrics)


def shown(found: Manifest) -> str:
    """Return what `show` prints of a version."""
    output = io.StringIO()
    terminal = Terminal(Console(file=output, highlight=False, soft_wrap=True, width=80))
    for table in manifest_tables(found, None):
        terminal.print_table(table)
    return checked(output.getvalue())


def words(text: str, name: str) -> list[str]:
    """Return what is beside a name."""
    (line,) = [line for line in text.split("\n") if line.startswith(name)]
    return line.removeprefix(name).split()


def printed(found: Manifest) -> str:
    """Return what training prints of a model's metrics."""
    output = io.StringIO()
    Terminal(Console(file=output, highlight=False, soft_wrap=True, width=80)).print_metrics(found)
    table = output.getvalue().strip("\n").split("\n")[:-1]  # the last line is a sentence
    checked("\n".join(table))
    return output.getvalue()


def checked(text: str) -> str:
    assert max(map(len, text.split("\n"))) <= 80, text
    return text


def test_show_prints_the_signature() -> None:
    """Each input with its type, whether it may be missing, its categories and an example."""
    text = shown(manifest(BINARY, ["stays", "leaves"], **BINARY_METRICS))
    assert "one of two classes, from a row of a table" in text
    assert "0 stays, 1 leaves" in text
    lines = text.split("\n")
    (plan,) = [line for line in lines if line.strip().startswith("plan ")]
    assert plan.split()[:3] == ["plan", "string", "yes"]
    assert "basic, plus [b]," in text
    assert "no others" in text
    assert "and 2 more" in text
    (tenure,) = [line for line in lines if line.strip().startswith("tenure ")]
    assert tenure.split() == ["tenure", "number", "yes", "3.5"]
    (seats,) = [line for line in lines if line.strip().startswith("seats ")]
    assert seats.split() == ["seats", "integer", "no", "0"]


def test_show_names_a_hundred_inputs_and_fifty_labels() -> None:
    """Pictures have thousands of columns, and some models hundreds of classes."""
    inputs = tuple(Input(f"pixel{number}", NUMBER) for number in range(784))
    words = [f"class {number}" for number in range(70)]
    signature = Signature(TABLE, MULTICLASS, inputs, labels(*words))
    text = shown(replace(manifest(BINARY, ["a", "b"]), signature=signature.to_dict()))
    assert "pixel99 " in text
    assert "pixel100" not in text
    assert "and 684 more" in text
    assert "class 49 and 20 more" in " ".join(text.split())


def test_show_prints_metrics_by_their_titles() -> None:
    """The confusion matrix of two classes, and a line for each of more."""
    text = shown(manifest(BINARY, ["stays", "leaves"], **BINARY_METRICS))
    assert words(text, "ROC AUC") == ["0.7500"]
    assert "[[1, 2], [3, 4]]" in text
    many = {f"class {number}": FIGURES for number in range(3)}
    confusion = np.eye(3, dtype=int).tolist()
    text = shown(manifest(MULTICLASS, many, accuracy=0.5, classes=many, confusion=confusion))
    assert "[[" not in text
    (line,) = [line for line in text.split("\n") if "class 1" in line and "0.5000" in line]
    assert line.split() == ["class", "1", "1,234", "0.5000", "0.2500", "0.3333"]
    several = shown(manifest(MULTILABEL, many, TEXT, micro_f1=0.25, labels=many))
    assert "any of 3 labels, from a text" in several
    assert words(several, "micro F1") == ["0.2500"]


def test_show_prints_a_regression_and_clusters() -> None:
    """A regression has no labels; of clusters it is known how many rows each of them takes."""
    text = shown(manifest(REGRESSION, r2=0.98, mean_absolute_error=21554.7))
    assert "a number, from a row of a table" in text
    assert "Labels" not in text
    assert "21,555" in text
    text = shown(manifest(CLUSTER, ["a", "b"], predicted={"a": 7, "b": 3}))
    assert "a 7, b 3" in text


@pytest.mark.parametrize(
    ("metrics", "title", "value"),
    [
        ({"accuracy": 0.875}, "Accuracy", "0.8750"),
        ({"r2": 0.98}, "R²", "0.9800"),
        ({"r2": None}, "R²", "undefined"),
        ({"micro_f1": 0.75, "macro_f1": 0.5}, "Micro F1", "0.7500"),
        ({"predicted": {"a": 1}}, "Measured", ""),
    ],
)
def test_list_prints_the_headline(metrics: dict[str, Any], title: str, value: str) -> None:
    """Whatever the task is, one figure says how good the version is."""
    header, line = listed(metrics)
    assert title in header
    mark, _version, _date, _time, *figures = line.split()
    assert mark == "●"
    assert figures == [*value.split(), "454", "0", "kB"]


def test_list_prints_versions_of_several_tasks() -> None:
    """Then each figure has its title beside it."""
    header, *lines = listed({"accuracy": 0.875}, {"micro_f1": 0.75}, {"predicted": {"a": 1}})
    assert "Measured" in header
    assert any("accuracy 0.8750 454" in " ".join(line.split()) for line in lines)
    assert any("micro F1 0.7500 454" in " ".join(line.split()) for line in lines)


def listed(*each: dict[str, Any]) -> list[str]:
    """Return the header and the lines that `list` prints of versions with these metrics."""
    found, names = registry(FakeS3()), []
    for number, metrics in enumerate(each):
        one = release(number)
        one = replace(one, manifest=replace(one.manifest, metrics=metrics))
        now = datetime(2026, 2, 3, tzinfo=UTC)
        names.append(publish(found, one, now=now, bar=bar)[0])
    output = io.StringIO()
    Console(file=output, width=80).print(versions_table(found, found.versions()))
    lines = checked(output.getvalue()).split("\n")
    (header,) = [line for line in lines if "Version" in line]
    return [header, *(line for line in lines if any(name in line for name in names))]


def test_two_classes_are_printed_as_a_matrix() -> None:
    """Words that are too long for a line are cut."""
    words = ["Negative Review", "a word that is far too long for it"]
    text = printed(manifest(BINARY, words, **BINARY_METRICS))
    assert "predicted Negative Review" in text
    assert "true a word that is…" in text
    assert text.endswith(
        "Accuracy 0.8750, F1 0.5000, ROC AUC 0.7500 on 10 rows of customers.csv that the model was "
        "not fitted on\n"
    )


def test_many_classes_are_printed_as_a_table() -> None:
    """Up to twenty of them, or the twenty with the lowest F1; undefined figures are a dash."""
    classes: dict[str, Any] = {f"class {n}": {**FIGURES, "f1": n / 100} for n in range(25)}
    classes["class 24"] = {"precision": None, "recall": None, "f1": None, "support": 0}
    few = dict([*classes.items()][-3:])
    text = printed(manifest(MULTICLASS, few, TEXT, accuracy=0.5, classes=few, confusion=[[1] * 25]))
    (line,) = [line for line in text.split("\n") if "class 24" in line]
    assert line.split() == ["class", "24", "0", "–", "–", "–"]
    assert "Texts" in text
    text = printed(manifest(MULTICLASS, classes, accuracy=0.5, classes=classes, confusion=None))
    assert sum(line.strip().startswith("class") for line in text.split("\n")) == 20
    assert "class 19 " in text
    assert "class 20 " not in text
    assert "the 20 of 25 classes with the lowest F1" in text


def test_numbers_and_clusters_are_printed_as_a_sentence() -> None:
    """There is no table for a regression, and nothing was measured of clusters."""
    text = printed(manifest(REGRESSION, (), TEXT, r2=0.98, mean_absolute_error=277.8, source=None))
    assert text == (
        "R² 0.9800, mean absolute error 277.8 on 10 texts that the model was not fitted on\n"
    )
    text = printed(manifest(CLUSTER, ["a", "b"], predicted={"a": 7000, "b": 3}))
    assert text == "Predicted for 10 rows of customers.csv: a 7,000, b 3\n"

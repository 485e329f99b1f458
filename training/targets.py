"""What is right for each row, as an estimator has it: data have words and numbers of their own."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_api.signature import CLASSIFICATIONS, MULTILABEL, REGRESSION, Label, Signature
from training.data.table import SHOWN, rows_where, shown_rows
from training.errors import TrainingError
from training.options import EXAMPLES


def with_usual_words(signature: Signature, name: str) -> Signature:
    """Return a signature with the words of an example, if the model is called like one.

    Parameters
    ----------
    signature : Signature
        Of the model, with a word for each label already.
    name : str
        Of the model.
    """
    usual = EXAMPLES[name].words if name in EXAMPLES else {}
    words = [usual.get(_spelled(one.label).lower()) for one in signature.labels]
    if None in words or len({*words}) < len(words):
        return signature  # its classes are others
    pairs = zip(signature.labels, words, strict=True)
    return signature._replace(labels=tuple(Label(one.label, str(word)) for one, word in pairs))


def as_targets(
    values: Sequence[Any], signature: Signature, column: str, separator: str | None = None
) -> Any:
    """Return the values of a target as the estimator has them.

    Parameters
    ----------
    values : sequence
        Shape ``(n,)``, as read from data, without missing ones. A class may be written as the
        estimator has it, or as its word.
    signature : Signature
        Of the model.
    column : str
        What they are called in a message, such as ``column 'churned' of rows.csv``.
    separator : str, optional
        What separates several labels in one value.

    Returns
    -------
    ndarray
        Shape ``(n,)``; for a `MULTILABEL` task ``(n, labels)``, of 0 and 1.

    Raises
    ------
    TrainingError
        A value is not a label of the model, or not a number.
    """
    if signature.task == REGRESSION:
        return _numbers(values, column)
    if signature.task not in CLASSIFICATIONS:
        raise TrainingError(
            f"the pipeline's task is {signature.task}, which has no target to measure it with: "
            "leave out --target"
        )
    if signature.task != MULTILABEL:
        labels = [one.label for one in signature.labels]
        return np.array([labels[at] for at in _positions(values, signature, column)])
    if separator is None:
        raise TrainingError(
            f"the pipeline predicts several labels for a row: say what separates them in {column} "
            "with --label-separator, such as --label-separator '|'"
        )
    targets = np.zeros((len(values), len(signature.labels)), dtype=int)
    for row, value in enumerate(values):
        parts = [part.strip() for part in str(value).split(separator) if part.strip()]
        targets[row, _positions(parts, signature, column)] = 1
    return targets


def _positions(values: Sequence[Any], signature: Signature, column: str) -> list[int]:
    """Return the position of the label of each value."""
    known: dict[str, int] = {}
    for number, one in enumerate(signature.labels):
        known.setdefault(one.word, number)
    for number, one in enumerate(signature.labels):
        known[_spelled(one.label)] = number
    if all(isinstance(one.label, bool) for one in signature.labels):
        lower = {word.lower(): number for word, number in known.items()}
        known = lower | known
        values = [value.lower() if isinstance(value, str) else value for value in values]
    spelled = [_spelled(value) for value in values]
    unknown = sorted({word for word in spelled if word not in known})
    if unknown:
        shown = ", ".join(map(repr, unknown[:SHOWN]))
        more = f" and {len(unknown) - SHOWN:,} more" if len(unknown) > SHOWN else ""
        classes = ", ".join(repr(one.label) for one in signature.labels)
        raise TrainingError(
            f"{column} contains {shown}{more}, but the model's classes are {classes}; "
            "if these are other words for them, give each class its word with --labels, such as "
            f"'{_spelled(signature.labels[0].label)}={unknown[0]},…'"
        )
    return [known[word] for word in spelled]


def _spelled(label: Any) -> str:
    """Return a label as data have it: 1, 1.0 and '1' are the same, and so are True and 'True'."""
    if isinstance(label, bool):
        return str(label)
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    text = str(label).strip()
    return text.removesuffix(".0") if text.removesuffix(".0").lstrip("-").isdecimal() else text


def _numbers(values: Sequence[Any], column: str) -> Any:
    numbers = np.array([_number(value) for value in values])
    wrong = rows_where(~np.isfinite(numbers))
    if wrong:
        raise TrainingError(
            f"{column} must hold numbers, since the pipeline predicts numbers; "
            f"{shown_rows(wrong)} does not, such as {values[wrong[0] - 1]!r}"
        )
    return numbers


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")

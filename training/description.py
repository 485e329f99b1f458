"""A signature in words, for people."""

import json
from typing import Any

from sklearn_api.signature import (
    BINARY,
    CLUSTER,
    MULTICLASS,
    MULTILABEL,
    OUTLIER,
    REGRESSION,
    TABLE,
    TEXT,
    Input,
    LabelValue,
    Signature,
)

COLUMNS = ("Input", "Type", "Optional", "Categories", "Example")
"""Titles of what `inputs` returns."""

_TASKS = {
    BINARY: "one of two classes",
    MULTICLASS: "one of {} classes",
    MULTILABEL: "any of {} labels",
    REGRESSION: "a number",
    CLUSTER: "one of {} clusters",
    OUTLIER: "whether it is an outlier",
}
_KINDS = {TEXT: "a text", TABLE: "a row of a table"}
_CATEGORIES = 8  # that are named
_INPUTS = 100  # that are described
_LABELS = 50  # that are named
_LONGEST = 40  # characters of an example


def purpose(signature: Signature) -> str:
    """Return what is predicted, and from what."""
    count = len(signature.labels)
    return f"{_TASKS[signature.task].format(count)}, from {_KINDS[signature.kind]}"


def inputs(signature: Signature) -> list[tuple[str, str, str, str, str]]:
    """Return name, type, whether it may be left out, categories and example of each input."""
    rows = [
        (
            one.name,
            one.type,
            "yes" if one.nullable else "no",
            _categories(one),
            "" if one.example is None else shortened(_json(one.example)),
        )
        for one in signature.inputs[:_INPUTS]
    ]
    more = len(signature.inputs) - len(rows)
    return [*rows, (f"and {more:,} more", "", "", "", "")] if more else rows


def labels(signature: Signature) -> str:
    """Return the labels as the estimator has them, with their words; empty for a regression."""
    shown = [
        one.word if one.word == str(one.label) else f"{_json(one.label)} {one.word}"
        for one in signature.labels[:_LABELS]
    ]
    more = len(signature.labels) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Return a text, cut to a number of characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _categories(one: Input) -> str:
    if one.categories is None:
        return ""
    names = [shortened(str(category)) for category in one.categories[:_CATEGORIES]]
    more = len(one.categories) - len(names)
    listed = ", ".join(names) + (f" and {more:,} more" if more else "")
    return f"{listed}; no others" if one.closed else listed


def _json(value: LabelValue) -> Any:
    return json.dumps(value, ensure_ascii=False)

"""The rows that the model gets most wrong."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import compress
from typing import Any

from sklearn_api.signature import TEXT
from training.description import shortened
from training.evaluation import (
    Binary,
    Classification,
    Evaluation,
    Multilabel,
    Regression,
)
from training.metrics import NOUNS, amount
from training.report.elements import excerpt, heading, percent, table
from training.report.importance import Importance

_TEXTS = 5
_ROWS = 10
_INPUTS = 6  # of a row, the most important ones


def parts(evaluation: Evaluation, importance: Importance | str | None) -> Iterator[str]:
    """Yield the worst errors: as texts, or as rows of a table."""
    if not isinstance(evaluation, (Classification, Multilabel, Regression)):
        return
    text = evaluation.signature.kind == TEXT
    rows = evaluation.worst(_TEXTS if text else _ROWS)
    if not rows:
        noun = NOUNS[evaluation.signature.kind]
        yield heading(
            "The worst errors", f"It made no error on the {noun} that it was measured on."
        )
    elif text:
        note = "Often, a label is itself wrong."
        yield heading("The worst errors", "" if isinstance(evaluation, Regression) else note)
        yield from (_article(evaluation, row) for row in rows)
    else:
        yield heading("The worst errors")
        yield _table(evaluation, rows, importance)


def _article(evaluation: Any, row: int) -> str:
    """Return one text, with what was predicted and what is right."""
    if isinstance(evaluation, Regression):
        left = f"predicted <b>{amount(evaluation.predicted[row])}</b>"
        right = f"true {amount(evaluation.truth[row])}"
    elif isinstance(evaluation, Multilabel):
        left = f"predicted <b>{escape(_labels(evaluation, evaluation.predicted[row]))}</b>"
        right = f"labelled {escape(_labels(evaluation, evaluation.truth[row]))}"
    else:
        predicted, truth = evaluation.predicted[row], evaluation.truth[row]
        colour = ""
        if isinstance(evaluation, Binary):
            colour = f' class="{"positive" if predicted else "negative"}"'
        left = f"predicted <b{colour}>{escape(evaluation.words[predicted])}</b>"
        if evaluation.probabilities is not None:
            left += f" with {percent(evaluation.probabilities[row, predicted])}"
        right = f"labelled {escape(evaluation.words[truth])}"
        if evaluation.scores is not None and evaluation.scores.ndim == 1:
            right += f", score {evaluation.scores[row]:+.2f}"
    return (
        f'<article class="card error"><header><span>{left}</span>'
        f'<span class="muted">{right}</span></header>'
        f"{excerpt(evaluation.rows[row])}</article>"
    )


def _table(evaluation: Any, rows: Sequence[int], importance: Importance | str | None) -> str:
    """Return rows of a table, with what was predicted and what is right."""
    names = [one.name for one in evaluation.signature.inputs]
    if isinstance(importance, Importance):
        names = [name for name, *_ in importance.inputs]
    names = names[:_INPUTS]
    titles, answers, numbers = _answers(evaluation, rows)
    return table(
        (*titles, *names),
        [
            (*answer, *_values(evaluation, row, names))
            for row, answer in zip(rows, answers, strict=True)
        ],
        numbers=numbers,
    )


def _answers(
    evaluation: Any, rows: Sequence[int]
) -> tuple[tuple[str, ...], Sequence[tuple[str, ...]], tuple[int, ...]]:
    """Return titles, predicted and right answers, and which of these columns are numbers."""
    words = evaluation.words
    predicted, truth = evaluation.predicted, evaluation.truth
    if isinstance(evaluation, Regression):
        errors = evaluation.residuals
        return (
            ("Predicted", "True", "Error"),
            [(amount(predicted[row]), amount(truth[row]), amount(errors[row])) for row in rows],
            (0, 1, 2),
        )
    if isinstance(evaluation, Multilabel):
        answers = [
            (_labels(evaluation, predicted[row]), _labels(evaluation, truth[row])) for row in rows
        ]
        return ("Predicted", "True"), answers, ()
    if evaluation.probabilities is None:
        return (
            ("Predicted", "True"),
            [(words[predicted[row]], words[truth[row]]) for row in rows],
            (),
        )
    certain = [percent(evaluation.probabilities[row, predicted[row]]) for row in rows]
    pairs = [(words[predicted[row]], words[truth[row]]) for row in rows]
    return (
        ("Predicted", "True", "Probability"),
        [(*pair, one) for pair, one in zip(pairs, certain, strict=True)],
        (2,),
    )


def _labels(evaluation: Any, indicators: Any) -> str:
    return ", ".join(compress(evaluation.words, indicators)) or "none"


def _values(evaluation: Any, row: int, names: Sequence[str]) -> list[str]:
    """Return the values of some inputs of a row."""
    if hasattr(evaluation.rows, "iloc"):
        columns = [evaluation.rows[name].iloc[row : row + 1] for name in names]
        return ["–" if one.isna().iloc[0] else _value(one.iloc[0]) for one in columns]
    position = {one.name: number for number, one in enumerate(evaluation.signature.inputs)}
    return [_value(evaluation.rows[row][position[name]]) for name in names]


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return shortened(str(value), 60)

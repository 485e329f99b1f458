"""What the model goes by: words of texts, inputs of tables."""

from collections.abc import Iterator
from typing import Any

from sklearn_api.signature import MULTILABEL, REGRESSION, TEXT
from training.evaluation import Evaluation
from training.metrics import NOUNS
from training.report.elements import figure, figures, heading, table
from training.report.figures import bars
from training.report.figures.drawing import NEGATIVE, POSITIVE
from training.report.importance import Importance
from training.report.words import strongest

WORDS = 25
"""Words for each of two classes."""

_FEW = 8  # words for each of more classes
_DRAWN = 12  # classes whose words are drawn; those of more are listed
_LISTED = 60  # classes whose words are listed
_INPUTS = 30  # of a table


def parts(
    evaluation: Evaluation, pipeline: Any, importance: Importance | str | None
) -> Iterator[str]:
    """Yield the strongest words of a linear model of texts, or the importance of inputs."""
    if evaluation.signature.kind == TEXT:
        yield from _words(evaluation, pipeline)
    elif isinstance(importance, Importance):
        yield from _importance(evaluation, importance)
    elif importance:
        yield heading("What it goes by", f"The importance of inputs is not known: {importance}.")


def _words(evaluation: Evaluation, pipeline: Any) -> Iterator[str]:
    words = evaluation.words
    one_score = len(words) == 2 or evaluation.signature.task == REGRESSION
    found = strongest(pipeline, WORDS if one_score else _FEW)
    if len(found) != (1 if one_score else len(words)):
        return
    if one_score:
        low, high = (f"For “{word}”" for word in words or ("lower numbers", "higher numbers"))
        note = "The longer the bar, the further the word moves all scores."
        yield heading("The strongest words", note)
        rising, falling = found[0]
        sides = ((high, rising, "rising", POSITIVE), (low, falling, "falling", NEGATIVE))
        yield from figures(
            figure(title, "", bars.words(side, name, title, colour))
            for title, side, name, colour in sides
            if side
        )
        return
    what = "label" if evaluation.signature.task == MULTILABEL else "class"
    yield heading(
        f"The strongest words for each {what}",
        f"Those that raise the score of the {what} the most.",
    )
    pairs = [(word, one.rising) for word, one in zip(words, found, strict=True) if one.rising]
    if len(words) <= _DRAWN:
        yield from figures(
            figure(word, "", bars.words(rising, f"words-{number}", word))
            for number, (word, rising) in enumerate(pairs)
        )
        return
    if len(pairs) > _LISTED:
        yield f'<p class="muted">The first {_LISTED} of {len(pairs)} classes.</p>'
    yield table(
        (what.capitalize(), "Words"),
        [(word, ", ".join(term for term, _ in rising)) for word, rising in pairs[:_LISTED]],
    )


def _importance(evaluation: Evaluation, importance: Importance) -> Iterator[str]:
    shown = importance.inputs[:_INPUTS]
    noun = NOUNS[evaluation.signature.kind]
    yield heading("What it goes by")
    caption = (
        f"How far {importance.score} falls on {importance.rows:,} held-out {noun} when the values "
        "of one input are shuffled among them, so that it says nothing any more; the thin lines "
        f"are the standard deviation of {importance.repeats} shuffles. Inputs that say the same "
        "stand in for each other, and each of them then looks unimportant."
    )
    if len(shown) < len(importance.inputs):
        caption += f" The first {len(shown)} of {len(importance.inputs)} inputs."
    drawn = bars.importances(shown, f"fall of {importance.score}")
    yield from figures([figure("Importance of inputs", caption, drawn, full=True, least=520)])

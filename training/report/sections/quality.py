"""How good the predictions are, for each task."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sklearn_api.signature import REGRESSION
from training.description import shortened
from training.evaluation import (
    Binary,
    Evaluation,
    Multiclass,
    Multilabel,
    Regression,
    Unmeasured,
    reliability,
)
from training.metrics import NOUNS
from training.report.elements import figure, figures, heading, table
from training.report.figures import bars, confusion, curves, numbers

_PAIRS = 10  # of confused classes
_LONGEST = 20  # characters of a word in the title of an axis
_LEGIBLE = 620  # CSS pixels that wide figures need


def parts(evaluation: Evaluation) -> Iterator[str]:
    """Yield the figures of an evaluation's task."""
    match evaluation:
        case Binary():
            yield from _binary(evaluation)
        case Multiclass():
            yield from _multiclass(evaluation)
        case Multilabel():
            yield from _multilabel(evaluation)
        case Regression():
            yield from _regression(evaluation)
        case Unmeasured():
            yield from _unmeasured(evaluation)


def _binary(evaluation: Binary) -> Iterator[str]:
    first, second = evaluation.words
    noun = NOUNS[evaluation.signature.kind]
    yield heading(
        "How well it separates the classes",
        f"A score ranks the {noun} from “{first}” to “{second}”. The dashed lines show random "
        "guessing and perfect calibration.",
    )
    yield from figures(_of_two_classes(evaluation))


def _of_two_classes(evaluation: Binary) -> Iterator[str]:
    first, second = (shortened(word, _LONGEST) for word in evaluation.words)
    noun = NOUNS[evaluation.signature.kind]
    if evaluation.ranking is not None and evaluation.both_classes:
        yield figure(
            "ROC curve",
            "Each point is a threshold of the score. The closer to the top left corner, the "
            "better.",
            curves.roc(evaluation.truth, evaluation.ranking, (first, second)),
        )
        yield figure(
            "Precision and recall",
            f"The more of the {noun} that are “{second}” the model finds, the more of those that "
            f"it finds are “{first}”.",
            curves.precision_recall(evaluation.truth, evaluation.ranking, (first, second)),
        )
    yield _confusion(evaluation)
    bins = evaluation.reliability()
    if bins is not None:
        error = evaluation.metrics()["ece"]
        yield figure(
            "Calibration",
            f"Of the {noun} with a predicted probability of 80%, are 80% “{second}”? On the line, "
            f"they are. The mean distance from the line is {error:.4f}.",
            curves.calibration(bins, f"share that is {second}", noun),
        )


def _multiclass(evaluation: Multiclass) -> Iterator[str]:
    noun = NOUNS[evaluation.signature.kind]
    yield heading("How well it tells the classes apart")
    drawn = [_confusion(evaluation)]
    if not confusion.is_small(evaluation.words) and (pairs := _confused(evaluation)):
        drawn.append(pairs)
    bins = evaluation.reliability()
    if bins is not None:
        error = evaluation.metrics()["ece"]
        drawn.append(
            figure(
                "Calibration",
                f"Of the {noun} whose predicted class has a probability of 80%, is it right for "
                f"80%? On the line, it is. The mean distance from the line is {error:.4f}.",
                curves.calibration(bins, "share that is right", noun),
            )
        )
    yield from figures([*drawn, _classes(evaluation.by_class(), "class", noun)])


def _confused(evaluation: Multiclass) -> str:
    """Return the most frequent confusions, empty if there are none."""
    matrix, words = evaluation.confusion, evaluation.words
    rows = [
        (
            words[true],
            words[predicted],
            f"{matrix[true, predicted]:,}",
            f"{matrix[true, predicted] / matrix[true].sum():.1%}",
        )
        for true, predicted in confusion.confusions(matrix, _PAIRS)
    ]
    noun = NOUNS[evaluation.signature.kind].capitalize()
    titles = ("True", "Predicted", noun, "Of the class")
    if not rows:
        return ""
    return figure(
        "The most frequent confusions", "", table(titles, rows, numbers=(2, 3), card=False)
    )


def _multilabel(evaluation: Multilabel) -> Iterator[str]:
    noun = NOUNS[evaluation.signature.kind]
    yield heading("How well it finds each label")
    drawn = [_classes(evaluation.by_class(), "label", noun)]
    if evaluation.probabilities is not None:
        bins = reliability(evaluation.truth.ravel(), evaluation.probabilities.ravel())
        drawn.append(
            figure(
                "Calibration",
                "All labels together: of those with a predicted probability of 80%, do 80% apply? "
                "On the line, they do.",
                curves.calibration(bins, "share that applies", "labels"),
            )
        )
    wrong = (evaluation.truth != evaluation.predicted).sum(axis=1)
    counts = np.bincount(wrong)
    drawn.append(
        figure(
            "Wrong labels",
            f"How many labels are wrong, in how many {noun}: missed, or predicted and not true.",
            bars.counts({str(number): int(count) for number, count in enumerate(counts)}, "wrong"),
        )
    )
    yield from figures(drawn)


def _regression(evaluation: Regression) -> Iterator[str]:
    noun = NOUNS[evaluation.signature.kind]
    truth, predicted, errors = evaluation.truth, evaluation.predicted, evaluation.residuals
    drawn = min(len(truth), numbers.DOTS)
    of_all = (
        f" {drawn:,} of {len(truth):,} {noun} are drawn, the worst among them."
        if drawn < len(truth)
        else ""
    )
    medians = " The line goes through the medians." if numbers.has_medians(errors) else ""
    logarithmic = " Both axes are logarithmic." if numbers.is_logarithmic(truth, predicted) else ""
    yield heading("How close it comes")
    yield from figures(
        [
            figure(
                "Predicted against true",
                f"On the dashed line, both are equal.{of_all}{logarithmic}",
                numbers.predicted_against_true(truth, predicted),
            ),
            figure(
                "Errors against predicted",
                f"Where they are not around zero, the model errs to one side.{medians}{of_all}",
                numbers.residuals_against_predicted(predicted, errors),
            ),
            figure(
                "Distribution of the errors",
                "Right of zero, the prediction is too high. The outermost bars hold the most "
                "extreme percent of all errors.",
                numbers.residuals(errors, noun),
            ),
            figure(
                "Size of the errors",
                f"The share of the {noun} whose error is at most so large.",
                numbers.sizes(errors, noun),
            ),
        ]
    )


def _unmeasured(evaluation: Unmeasured) -> Iterator[str]:
    noun = NOUNS[evaluation.signature.kind]
    yield heading("What it predicts", "The right answers are not known, so nothing is measured.")
    if evaluation.signature.task == REGRESSION:
        drawn = numbers.predictions(evaluation.predicted, noun)
        yield from figures([figure("Predicted numbers", "", drawn)])
        return
    counts = {word: int(count or 0) for word, count in evaluation.summary().items()}
    shown = dict(sorted(counts.items(), key=lambda one: -one[1])[: confusion.MOST])
    caption = f"In how many {noun} it was predicted."
    if len(shown) < len(counts):
        caption += f" The {len(shown)} most frequent of {len(counts)}."
    yield from figures(
        [figure("Predicted labels", caption, bars.counts(shown, "counts"), full=len(shown) > 12)]
    )


def _confusion(evaluation: Binary | Multiclass) -> str:
    matrix, words = evaluation.confusion, evaluation.words
    noun = NOUNS[evaluation.signature.kind]
    caption = (
        f"Percentages are shares of a row: of all {noun} of that true class."
        if len(words) <= confusion.PERCENTAGES
        else f"The darker, the larger the share of a row: of all {noun} of that true class."
    )
    if len(words) > confusion.MOST:
        kept = confusion.most_confused(matrix)
        caption += f" The {len(kept)} classes that are confused most, of {len(words)}."
        matrix, words = matrix[np.ix_(kept, kept)], [words[one] for one in kept]
    full = not confusion.is_small(words)
    least = max(_LEGIBLE, 22 * len(words)) if full else 0
    drawn = confusion.confusion(matrix, words)
    return figure("Confusion matrix", caption, drawn, full=full, least=least)


def _classes(by_class: Mapping[str, Mapping[str, Any]], what: str, noun: str) -> str:
    """Return the figure of precision and recall, from the best class to the worst."""
    ordered = sorted(by_class.items(), key=lambda one: _rank(one[1]["f1"]))
    caption = (
        f"Precision: how many of the {noun} with this predicted {what} have it. Recall: how many "
        f"of those that have it are found. The numbers at the right count the {noun} that have it."
    )
    plural = {"class": "classes"}.get(what, f"{what}s")
    if len(ordered) > confusion.MOST:
        caption += f" The {confusion.MOST} {plural} with the lowest F1, of {len(ordered)}."
        ordered = ordered[-confusion.MOST :]
    drawn = bars.classes(dict(ordered))
    title = f"Precision and recall of each {what}"
    return figure(title, caption, drawn, full=True, least=_LEGIBLE)


def _rank(f1: float | None) -> float:
    """Return what sorts classes from the best to the worst, and those without rows in between."""
    return 0.5 if f1 is None else -f1

"""What comes out of a fitted pipeline: its task, and the words for its labels."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sklearn_api.signature import (
    BINARY,
    CLUSTER,
    MULTICLASS,
    MULTILABEL,
    OUTLIER,
    REGRESSION,
    Label,
    LabelValue,
)
from training.artifact.checks import final_estimator
from training.errors import TrainingError

_OUTLIERS = {-1: "outlier", 1: "inlier"}
"""What all outlier detectors of scikit-learn predict."""


def outputs_of(
    pipeline: Any,
    answer: Any,
    words: Mapping[Any, str] | None = None,
    targets: Any = None,
) -> tuple[str, tuple[Label, ...]]:
    """Return the task of a pipeline, and its labels.

    Parameters
    ----------
    pipeline : estimator
        A fitted one.
    answer : ndarray or sparse matrix, one row for each instance
        What it predicts for some rows.
    words : mapping, optional
        From each of its labels, or that label as a string, to the word that clients see. By default
        the words are made from the labels.
    targets : DataFrame, optional
        What a pipeline with several labels was fitted on: the labels have the names of its columns.

    Returns
    -------
    tuple of str, tuple of Label

    Raises
    ------
    TrainingError
        It predicts something that a signature has no word for, or `words` do not fit its labels.
    """
    task, made = _outputs(pipeline, answer, targets)
    if words is not None and task == REGRESSION:
        raise TrainingError(
            f"the pipeline predicts numbers, and words were given for labels, {_some(words)}: "
            "leave them out"
        )
    labels = _given(made, words) if words is not None else made
    _check_words(labels)
    if task != MULTILABEL and labels:
        _check_answer(answer, labels)
    return task, labels


def _outputs(pipeline: Any, answer: Any, targets: Any) -> tuple[str, tuple[Label, ...]]:
    kind = _kind(pipeline)
    if kind == "regressor":
        _check_numbers(answer)
        return REGRESSION, ()
    if kind == "outlier_detector":
        return OUTLIER, tuple(Label(*pair) for pair in _OUTLIERS.items())
    if kind == "classifier":
        if (answer.ndim == 2 and answer.shape[1] > 1) or isinstance(pipeline.classes_, list):
            return MULTILABEL, _several_labels(pipeline, answer.shape[-1], targets)
        labels = _classes(pipeline)
        return (BINARY if len(labels) == 2 else MULTICLASS), labels
    return CLUSTER, tuple(Label(number, str(number)) for number in _clusters(pipeline))


def _kind(pipeline: Any) -> str:
    """Return what a pipeline is, as scikit-learn's tags have it."""
    from sklearn.utils import get_tags

    try:
        kind = get_tags(pipeline).estimator_type
    except AttributeError:  # it does not derive from BaseEstimator
        kind = None
    if kind == "density_estimator":  # a mixture, which assigns rows to its components
        return "clusterer"
    if kind in ("outlier_detector", "regressor", "clusterer"):
        return str(kind)
    if kind == "classifier" or hasattr(pipeline, "classes_"):
        if not hasattr(pipeline, "classes_"):
            raise TrainingError(
                f"{_name(pipeline)} is a classifier without the attribute classes_, so nothing "
                "says what it may predict: set it in fit, self.classes_ = numpy.unique(y)"
            )
        return "classifier"
    raise TrainingError(
        f"{_name(pipeline)} does not say what it predicts: derive it from "
        "sklearn.base.ClassifierMixin or RegressorMixin as well as BaseEstimator, in this order, "
        "and fit again"
    )


def _name(pipeline: Any) -> str:
    return type(final_estimator(pipeline)).__name__


def _check_numbers(answer: Any) -> None:
    import numpy as np

    if answer.ndim > 1 and answer.shape[1] > 1:
        raise TrainingError(
            f"the pipeline predicts {answer.shape[1]} numbers for each row, and an endpoint "
            "answers with one: fit a pipeline for each of them, and store each under its own name"
        )
    if not np.isfinite(answer.astype(float)).all():
        raise TrainingError(
            "the pipeline predicts NaN or infinity for some of the rows given, which JSON does not "
            "have: leave these rows out, or limit what it predicts"
        )


def _classes(pipeline: Any) -> tuple[Label, ...]:
    classes = pipeline.classes_
    labels = tuple(_made(value) for value in classes)
    if len(labels) < 2:
        raise TrainingError(
            f"the pipeline was fitted on one class only, {labels[0].label!r}: fit it on rows of "
            "two or more classes"
        )
    return labels


def _made(value: Any) -> Label:
    """Return a class as a plain value, with the word that is made of it."""
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, bool):
        return Label(plain, str(plain).lower())
    if isinstance(plain, str):
        return Label(str(plain), str(plain))
    if isinstance(plain, (int, float)) and math.isfinite(plain):
        return Label(plain, str(int(plain)) if plain == int(plain) else repr(plain))
    raise TrainingError(
        f"the class {str(plain)[:80]!r} is of type {type(plain).__name__}, which JSON does not "
        "have: fit again on strings, numbers or booleans, such as targets.astype(str)"
    )


def _several_labels(pipeline: Any, number: int, targets: Any) -> tuple[Label, ...]:
    classes = getattr(pipeline, "classes_", None)
    for position, values in enumerate(classes if isinstance(classes, list) else []):
        plain = [one.item() if hasattr(one, "item") else one for one in values]
        if not all(isinstance(one, (bool, int, float)) and one in (0, 1) for one in plain):
            raise TrainingError(
                f"the pipeline predicts {number} outputs, and number {position} has the classes "
                f"{_some(plain)}: an endpoint answers with several labels, each of which applies "
                "or does not (0 or 1), or with one class. Fit on a table of 0 and 1, or fit a "
                "pipeline for each output and store it under a name of its own"
            )
        if len(plain) < 2:
            raise TrainingError(
                f"label {position} was {plain[0]} in all rows that the pipeline was fitted on, so "
                "there is nothing to predict: leave it out, and fit again"
            )
    names = getattr(targets, "columns", None)
    if names is None:
        return tuple(Label(position, str(position)) for position in range(number))
    if len(names) != number:
        raise TrainingError(
            f"the pipeline predicts {number} labels, and the targets have {len(names)} columns, "
            f"{_some(names)}: give the targets as they were given to fit"
        )
    return tuple(Label(position, str(name)) for position, name in enumerate(names))


def _clusters(pipeline: Any) -> Iterable[int]:
    """Return the numbers of the clusters, in the order of their probabilities."""
    final = final_estimator(pipeline)
    centers = getattr(final, "cluster_centers_", None)
    if centers is not None:
        return range(centers.shape[0])
    if hasattr(final, "n_components"):
        return range(final.n_components)
    if hasattr(final, "labels_"):
        return sorted({int(label) for label in final.labels_})
    raise TrainingError(
        f"{_name(pipeline)} does not say how many clusters it has: it needs an attribute "
        "cluster_centers_ or labels_"
    )


def _given(labels: Sequence[Label], words: Mapping[Any, str]) -> tuple[Label, ...]:
    """Return the labels with the words that were given for them."""
    remaining = dict(words)
    found, missing = [], []
    for label in labels:
        # As it is, or as it is typed on a command line.
        keys = (label.label, label.word, str(label.label))
        key = next((key for key in keys if key in remaining), None)
        if key is None:
            missing.append(label.label)
        else:
            word = remaining.pop(key)
            # A word may be one of numpy's strings, such as a name in one of scikit-learn's sets.
            found.append(Label(label.label, str(word) if isinstance(word, str) else word))
    if missing or remaining:
        unknown = f"no class {_some(remaining)}" if remaining else ""
        without = f"no word was given for {_some(missing)}" if missing else ""
        raise TrainingError(
            f"the words do not fit the pipeline: {'; '.join(filter(None, (unknown, without)))}. "
            f"Its classes are {_some(one.label for one in labels)}"
        )
    return tuple(found)


def _check_words(labels: Sequence[Label]) -> None:
    owners: dict[str, LabelValue] = {}
    for label, word in labels:
        if not isinstance(word, str) or not word.strip():
            raise TrainingError(
                f"the word for the class {label!r} is {word!r}: give a word for each class that is "
                "not empty, labels={class: word, …}"
            )
        if word in owners:
            raise TrainingError(
                f"the classes {owners[word]!r} and {label!r} have the same word {word!r}: give "
                "each class a word of its own, labels={class: word, …}"
            )
        owners[word] = label


def _check_answer(answer: Any, labels: Sequence[Label]) -> None:
    """Raise if a pipeline predicts what is not among its labels."""
    known = {one.label for one in labels}
    strange = sorted({str(value) for value in answer.reshape(-1).tolist() if value not in known})
    if strange:
        raise TrainingError(
            f"the pipeline predicts {_some(strange)}, and its labels are {_some(known)}: there is "
            "no word for it"
        )


def _some(values: Iterable[Any]) -> str:
    """Return the first of several values in words."""
    listed = list(values)
    more = f" and {len(listed) - 10:,} more" if len(listed) > 10 else ""
    return ", ".join(repr(one) for one in listed[:10]) + more

"""Says what goes into a model, and what comes out of it."""

from collections.abc import Sequence

from sklearn_api.signature import (
    BINARY,
    MULTICLASS,
    STRING,
    TEXT,
    Input,
    Label,
    LabelValue,
    Signature,
)


def text_signature(
    classes: Sequence[LabelValue], *, field: str = "text", words: Sequence[str] = ()
) -> Signature:
    """Return the signature of a classifier of texts.

    Parameters
    ----------
    classes : sequence
        In the order of the estimator.
    field : str
        Name of the input.
    words : sequence of str
        What clients see for each class. Default: the class itself.
    """
    task = BINARY if len(classes) == 2 else MULTICLASS
    pairs = zip(classes, words or map(str, classes), strict=True)
    return Signature(
        TEXT,
        task,
        (Input(field, STRING, nullable=False, objects=True),),
        tuple(Label(label, word) for label, word in pairs),
    )

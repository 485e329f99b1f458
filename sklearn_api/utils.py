"""Small conversions shared by handlers."""

from typing import SupportsInt

LABELS = ("Negative Review", "Positive Review")


def convert_prediction(prediction: SupportsInt) -> str:
    """Turn the label of a film review into words.

    Parameters
    ----------
    prediction : int
        0 or 1, or an array of one such label, as ``pipeline.predict([text])`` returns it.

    Returns
    -------
    str
        ``Negative Review`` or ``Positive Review``.

    Raises
    ------
    ValueError
        The label is neither 0 nor 1.
    """
    try:
        # `item` turns a numpy scalar, or an array of one element, into a number.
        value = prediction.item() if hasattr(prediction, "item") else prediction
        label = int(value)
    except (TypeError, ValueError) as exc:
        raise ValueError(f"a review's label is 0 or 1, not {prediction!r}") from exc
    if label not in (0, 1) or label != value:
        raise ValueError(f"a review's label is 0 or 1, not {prediction!r}")
    return LABELS[label]

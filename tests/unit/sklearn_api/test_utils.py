"""Conversion of labels into words."""

import numpy as np
import pytest

from sklearn_api.utils import convert_prediction


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (0, "Negative Review"),
        (1, "Positive Review"),
        (np.int64(1), "Positive Review"),
        (np.array([0]), "Negative Review"),
        (True, "Positive Review"),
    ],
)
def test_labels_become_words(label: int, words: str) -> None:
    """0 and 1 are converted, as plain numbers and as `pipeline.predict` returns them."""
    assert convert_prediction(label) == words


@pytest.mark.parametrize("label", [2, -1, 0.5, None, "positive", np.array([0, 1])])
def test_another_label_is_an_error(label: object) -> None:
    """A label other than 0 and 1 is refused."""
    with pytest.raises(ValueError, match="0 or 1"):
        convert_prediction(label)  # type: ignore[arg-type]  # wrong types are what is tested

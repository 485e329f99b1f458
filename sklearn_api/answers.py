"""Words the predictions of a model, in JSON or as plain text."""

import json
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any

from sklearn_api.errors import PayloadTooLargeError
from sklearn_api.model import Prediction
from sklearn_api.signature import MULTILABEL, REGRESSION, Signature

MAX_BYTES = 5 * 1024 * 1024
"""Largest answer, in bytes of the JSON string in which a Lambda returns it.

Lambda allows 6 MB for the whole response:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class Answers:
    """Words predictions as a signature has them.

    Parameters
    ----------
    signature : Signature
        The model's.
    """

    def __init__(self, signature: Signature) -> None:
        self._words = {one.label: one.word for one in signature.labels}
        self._in_order = [one.word for one in signature.labels]
        self._task = signature.task

    def one(self, prediction: Prediction, model: Mapping[str, str]) -> str:
        """Return the JSON of one prediction and of the model that made it."""
        content = self._content(prediction)
        content["model"] = model
        return _joined((_to_json(content),))

    def many(self, predictions: Iterable[Prediction], model: Mapping[str, str]) -> str:
        """Return the JSON of predictions, in their order, and of the model that made them.

        Raises
        ------
        PayloadTooLargeError
            It would be larger than `MAX_BYTES`.
        """
        return _joined(self._pieces(predictions, model))

    def plain(self, prediction: Prediction) -> str:
        """Return a prediction as text: words, or a number as JSON has it."""
        found = self._prediction(prediction.value)
        if isinstance(found, list):
            return ", ".join(found)
        return found if isinstance(found, str) else _to_json(found)

    def _pieces(self, predictions: Iterable[Prediction], model: Mapping[str, str]) -> Iterator[str]:
        before = '{"predictions": ['
        for prediction in predictions:
            yield before + _to_json(self._content(prediction))
            before = ", "
        yield f'], "model": {_to_json(model)}}}'

    def _prediction(self, value: Any) -> Any:
        if self._task == REGRESSION:
            return _finite(value)
        if self._task == MULTILABEL:
            return [self._words[label] for label in value]
        return self._words[value]

    def _content(self, prediction: Prediction) -> dict[str, Any]:
        value, score, each = prediction
        if self._task == REGRESSION:
            return {"prediction": _finite(value)}
        probability = probabilities = None
        if each is not None:
            probabilities = dict(zip(self._in_order, map(_finite, each), strict=True))
            if all(map(isfinite, each)):
                probability = prediction.probability
        return {
            "prediction": self._prediction(value),
            "label": value,
            "score": _finite(score),
            "probability": probability,
            "probabilities": probabilities,
        }


def _finite(number: float | None) -> float | None:
    """Return a number; None if it is not finite, which JSON cannot express."""
    return number if number is not None and isfinite(number) else None


def _joined(pieces: Iterable[str]) -> str:
    """Return the parts of an answer as a whole, and stop when they become too large."""
    parts, size = [], 0
    for piece in pieces:
        # In a string of JSON, quotes and backslashes take two bytes each.
        length = len(piece) if piece.isascii() else len(piece.encode())
        size += length + piece.count('"') + piece.count("\\")
        if size > MAX_BYTES:
            raise PayloadTooLargeError(
                f"the answer would be longer than {MAX_BYTES:,} bytes; send fewer instances"
            )
        parts.append(piece)
    return "".join(parts)

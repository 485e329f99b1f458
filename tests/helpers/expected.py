"""What the answers of an endpoint have to be, according to the pipeline itself."""

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from sklearn_api.signature import MULTILABEL, REGRESSION, TEXT, Signature
from tests.helpers.served import Served
from training.artifact.frames import instances_of

CLOSE = 1e-9


def instances(case: Served, signature: Signature) -> list[dict[str, Any]]:
    """Return the rows of a pipeline as clients send them."""
    if signature.kind == TEXT:
        return [{signature.inputs[0].name: text} for text in case.rows]
    return instances_of(case.rows)


def assert_answered(case: Served, signature: Signature, found: list[dict[str, Any]]) -> None:
    """Compare answers with `predict` and `predict_proba`: predictions are equal, numbers close."""
    with threadpool_limits(1):
        predicted = case.pipeline.predict(case.given)
        probabilities = None
        if hasattr(case.pipeline, "predict_proba"):
            probabilities = case.pipeline.predict_proba(case.given)
    assert len(found) == len(case.rows)
    if signature.task == REGRESSION:
        numbers = [one["prediction"] for one in found]
        assert np.allclose(numbers, predicted, rtol=CLOSE, atol=CLOSE)
        return
    words = {one.label: one.word for one in signature.labels}
    if signature.task == MULTILABEL:
        rows = np.asarray(predicted)
        expected = [[words[label] for label in row.nonzero()[0].tolist()] for row in rows]
        assert [one["prediction"] for one in found] == expected
        assert {len(labels) for labels in expected} > {0, 1}
    else:
        assert [one["label"] for one in found] == predicted.tolist()
        assert [one["prediction"] for one in found] == [words[one] for one in predicted.tolist()]
        assert len(set(predicted.tolist())) > 1
    if probabilities is None:
        assert [one["probabilities"] for one in found] == [None] * len(found)
        return
    if isinstance(probabilities, list):
        probabilities = np.column_stack([one[:, 1] for one in probabilities])
    assert [list(one["probabilities"]) for one in found] == [list(words.values())] * len(found)
    sent = np.array([list(one["probabilities"].values()) for one in found])
    assert np.allclose(sent, probabilities, rtol=CLOSE, atol=CLOSE)

"""For many pipelines, an endpoint answers what `predict` and `predict_proba` return."""

import functools
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from sklearn_api.signature import CLUSTER, MULTILABEL, OUTLIER, REGRESSION, TEXT, Signature
from tests.helpers.endpoints import Handler, answer, make_handler, publish
from tests.helpers.served import HELD_OUT, PIPELINES, Served, served
from training.artifact.frames import instances_of
from training.artifact.verify import write_verified
from training.signature import infer_signature

CLOSE = 1e-9


@functools.cache
def published(name: str) -> tuple[Served, Signature, Handler]:
    """Return a pipeline behind an endpoint, with nothing but what its rows say about it."""
    case = served(name)
    with threadpool_limits(1):
        signature = infer_signature(
            case.pipeline, case.given, labels=case.words, targets=case.targets
        )
        artifact, _ = write_verified(case.pipeline, signature, rows=case.given)
        s3 = publish(artifact.content)
        return case, signature, make_handler(s3, max_body=2**20, max_instances=HELD_OUT)


def instances(case: Served, signature: Signature) -> list[dict[str, Any]]:
    if signature.kind == TEXT:
        return [{signature.inputs[0].name: text} for text in case.rows]
    return instances_of(case.rows)


def test_there_are_texts_and_tables_for_every_task() -> None:
    """With gaps and unseen categories in the rows of tables."""
    signatures = [published(name)[1] for name in PIPELINES]
    assert len(PIPELINES) == 15
    tasks = {"binary", "multiclass", MULTILABEL, REGRESSION, CLUSTER}
    assert {one.task for one in signatures if one.kind == TEXT} == tasks
    assert {one.task for one in signatures if one.kind != TEXT} == tasks | {OUTLIER}
    rows = served("table_binary").rows
    assert len(rows) == HELD_OUT
    assert set(rows.columns[rows.isna().any()]) >= {"plan", "tenure", "charges", "senior"}
    assert not set(rows["plan"].dropna()) <= {"basic", "plus", "pro"}


@pytest.mark.parametrize("name", PIPELINES)
def test_a_thousand_rows_are_answered_as_the_pipeline_predicts_them(name: str) -> None:
    """Through the events of API Gateway and JSON: predictions are equal, numbers to 1e-9."""
    case, signature, handler = published(name)
    found = answer(handler, {"instances": instances(case, signature)})["predictions"]
    with threadpool_limits(1):
        predicted = case.pipeline.predict(case.given)
        probabilities = None
        if hasattr(case.pipeline, "predict_proba"):
            probabilities = case.pipeline.predict_proba(case.given)
    assert len(found) == HELD_OUT
    if signature.task == REGRESSION:
        assert np.allclose([one["prediction"] for one in found], predicted, rtol=CLOSE, atol=CLOSE)
        return
    words = {one.label: one.word for one in signature.labels}
    if signature.task == MULTILABEL:
        table = np.asarray(predicted)
        expected = [[words[label] for label in row.nonzero()[0].tolist()] for row in table]
        assert [one["prediction"] for one in found] == expected
        assert {len(labels) for labels in expected} > {0, 1}
    else:
        assert [one["label"] for one in found] == predicted.tolist()
        assert [one["prediction"] for one in found] == [words[one] for one in predicted.tolist()]
        assert len(set(predicted.tolist())) > 1
    if probabilities is None:
        assert {one["probabilities"] for one in found} == {None}
        return
    if isinstance(probabilities, list):
        probabilities = np.column_stack([one[:, 1] for one in probabilities])
    assert [list(one["probabilities"]) for one in found] == [list(words.values())] * HELD_OUT
    sent = np.array([list(one["probabilities"].values()) for one in found])
    assert np.allclose(sent, probabilities, rtol=CLOSE, atol=CLOSE)


@pytest.mark.parametrize("name", PIPELINES)
def test_one_row_is_answered_as_among_many(name: str) -> None:
    """A client may send its rows one by one, and leave out what is missing."""
    case, signature, handler = published(name)
    rows = instances(case, signature)[:20]
    many = answer(handler, {"instances": rows})["predictions"]
    for row, expected in zip(rows, many, strict=True):
        sent = {field: value for field, value in row.items() if value is not None}
        found = answer(handler, sent)
        assert found.pop("model")["name"] == "review"
        number = found["prediction"]
        if signature.task == REGRESSION:
            assert number == pytest.approx(expected["prediction"], rel=1e-9)
        else:
            assert found["prediction"] == expected["prediction"]
            assert found["probabilities"] == (
                expected["probabilities"] and pytest.approx(expected["probabilities"], rel=1e-9)
            )

"""For many pipelines, an endpoint answers what `predict` and `predict_proba` return."""

import functools

import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from sklearn_api.signature import CLUSTER, MULTILABEL, OUTLIER, REGRESSION, TEXT, Signature
from tests.helpers.endpoints import Handler, answer, make_handler, publish
from tests.helpers.expected import assert_answered, instances
from tests.helpers.served import HELD_OUT, PIPELINES, Served, served
from training.artifact.verify import write_verified
from training.signature import infer_signature


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
    assert len(found) == HELD_OUT
    assert_answered(case, signature, found)


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

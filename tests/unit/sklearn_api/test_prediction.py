"""An endpoint that predicts, from the event to the answer, over a fake bucket."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from sklearn_api import current
from sklearn_api.calibration import Sigmoid
from sklearn_api.errors import SettingsError
from sklearn_api.prediction import prediction_endpoint
from sklearn_api.utils import convert_prediction
from tests.helpers.events import read_event
from tests.helpers.fakes import FakeS3, pointer_to
from tests.helpers.stored import stored

TEXTS = ["I love this movie", "I hate this movie", "love it", "hate it"]
CALIBRATION = Sigmoid(2.0, 0.1)
MAX_BODY = 1000

Handler = Callable[..., dict[str, Any]]


class Context:
    aws_request_id = "lambda-id"


def make_handler(s3: FakeS3) -> Handler:
    """Return the handler that handlers/review declares, over a fake bucket."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_BUCKET", "bucket")
        patch.setenv("MODEL_NAME", "review")
        patch.setenv("MAX_BODY_BYTES", str(MAX_BODY))
        patch.setenv("MODEL_REFRESH_SECONDS", "0")
        # The client is created at the cold start; a declaration allows no other way to a fake.
        patch.setattr(current, "create_reader", lambda *_: s3)
        return prediction_endpoint(
            field="review_text", aliases=("movie_text",), convert=convert_prediction
        )


def publish(artifact: bytes) -> FakeS3:
    """Return a bucket with a version of the model."""
    s3 = FakeS3()
    s3.serve(pointer_to(artifact), artifact)
    return s3


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)).fit(TEXTS, [1, 0, 1, 0])


@pytest.fixture(scope="module")
def artifact(pipeline: Pipeline) -> bytes:
    return stored(pipeline, CALIBRATION).content


@pytest.fixture(scope="module")
def handler(artifact: bytes) -> Handler:
    return make_handler(publish(artifact))


def event(body: object, **headers: str) -> dict[str, Any]:
    """Return the event for a request with this JSON body."""
    content = base64.b64encode(json.dumps(body).encode()).decode()
    return {**read_event("review", **headers), "body": content}


def test_a_review_gets_its_label_score_and_model(handler: Handler, pipeline: Pipeline) -> None:
    """The answer has the pipeline's own prediction, in words and numbers, and the version."""
    answer = handler(read_event("review"), Context())
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "application/json"
    score = float(pipeline.decision_function(["I love this movie"])[0])
    expected = {
        "prediction": "Positive Review",
        "label": 1,
        "score": score,
        "probability": CALIBRATION.probability(score),
        "model": {"name": "review", "version": "7"},
    }
    assert json.loads(answer["body"]) == expected
    assert list(json.loads(answer["body"])) == list(expected), "in this order"


def test_a_model_that_is_not_calibrated_gives_no_probability(pipeline: Pipeline) -> None:
    """The field is still there, and null."""
    s3 = publish(stored(pipeline).content)
    body = json.loads(make_handler(s3)(read_event("review"), Context())["body"])
    assert body["probability"] is None
    assert body["score"] > 0


def test_a_client_that_prefers_text_gets_only_the_prediction(handler: Handler) -> None:
    """`Accept: text/plain` gives the prediction and nothing around it."""
    answer = handler(event({"review_text": "hate it"}, Accept="text/plain"), Context())
    assert answer["body"] == "Negative Review"
    assert answer["headers"]["Content-Type"] == "text/plain; charset=utf-8"


def test_the_field_has_an_alias(handler: Handler) -> None:
    """`movie_text` means the same as `review_text`."""
    answers = [handler(event({name: "love it"}), None) for name in ("review_text", "movie_text")]
    assert answers[0]["body"] == answers[1]["body"]


def test_the_log_has_ids_and_version_but_no_word_of_the_review(
    handler: Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log line identifies the request and the model, and never contains what a client wrote."""
    handler(event({"review_text": "Rosebud is a sled"}), Context())
    handler(event({"review_text": ["Rosebud"]}), Context())
    out = capsys.readouterr().out
    first, second = (json.loads(line) for line in out.splitlines())
    assert first["request_id"] == read_event("review")["requestContext"]["requestId"]
    assert (first["lambda_request_id"], first["model_version"]) == ("lambda-id", "7")
    assert (first["endpoint"], first["status"], second["status"]) == ("review", 200, 400)
    assert "Rosebud" not in out
    assert "sled" not in out


@pytest.mark.parametrize(
    ("send", "status", "field"),
    [
        (dict, 400, None),
        (lambda: {**read_event("review"), "body": None}, 400, None),
        (lambda: event({}), 400, "review_text"),
        (lambda: event({"movie_text": 1}), 400, "movie_text"),
        (lambda: event({"review_text": "x" * MAX_BODY}), 413, None),
        (lambda: event({"review_text": "x"}, **{"Content-Type": "text/plain"}), 415, None),
    ],
)
def test_an_invalid_request_is_answered_with_a_problem(
    handler: Handler, send: Callable[[], object], status: int, field: str | None
) -> None:
    """Each mistake of a client is answered with problem details, its status and its field."""
    answer = handler(send(), Context())
    assert answer["statusCode"] == status
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    problem = json.loads(answer["body"])
    assert problem["status"] == status
    assert problem.get("field") == field
    assert problem["request_id"]


def test_without_a_model_it_is_503_until_one_is_published(artifact: bytes) -> None:
    """A Lambda that starts before the first model answers 503, and later with the model."""
    s3 = FakeS3()
    handler = make_handler(s3)
    answer = handler(read_event("review"), Context())
    assert answer["statusCode"] == 503
    assert int(answer["headers"]["Retry-After"]) > 0
    assert "no model 'review' has been published" in json.loads(answer["body"])["detail"]
    s3.objects |= publish(artifact).objects
    assert handler(read_event("review"), Context())["statusCode"] == 200


def test_an_invalid_request_is_400_even_without_a_model() -> None:
    """Retrying an invalid request cannot help, so it is 400 whether there is a model or not."""
    assert make_handler(FakeS3())(event({}), Context())["statusCode"] == 400


def test_a_failed_refresh_is_logged_and_does_not_change_answers(
    artifact: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """If S3 fails later, the model keeps serving, and one warning says why."""
    s3 = publish(artifact)
    handler = make_handler(s3)
    s3.failure = FakeS3.unreachable()
    for _ in range(2):
        assert handler(read_event("review"), Context())["statusCode"] == 200
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["level"] for line in lines] == ["WARNING", "INFO", "INFO"]
    assert "still serving 7: " in lines[0]["reason"]


def test_a_lambda_without_its_settings_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing setting is an error at the cold start, which names the setting."""
    monkeypatch.delenv("MODEL_BUCKET", raising=False)
    with pytest.raises(SettingsError, match="MODEL_BUCKET"):
        prediction_endpoint(field="review_text", convert=convert_prediction)


@given(
    body=st.none() | st.text(max_size=50) | st.binary(max_size=MAX_BODY + 10).map(base64.b64encode),
    is_base64=st.booleans() | st.none(),
    content_type=st.sampled_from(["application/json", "text/plain"]) | st.text(max_size=20),
    accept=st.text(max_size=30),
)
def test_any_request_gets_an_answer(
    handler: Handler,
    body: str | bytes | None,
    is_base64: bool | None,
    content_type: str,
    accept: str,
) -> None:
    """Any body and any headers get a response that API Gateway can send, and never a 5xx."""
    sent = {
        "headers": {"content-type": content_type, "accept": accept},
        "body": body.decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": is_base64,
    }
    answer = handler(sent, Context())
    assert json.loads(json.dumps(answer)) == answer
    assert answer["statusCode"] in (200, 400, 413, 415)


@given(text=st.text(max_size=100))
def test_any_text_gets_a_prediction(handler: Handler, text: str) -> None:
    """Every text except an empty one is classified, even if it contains no known word."""
    answer = handler(event({"review_text": text}), Context())
    assert answer["statusCode"] == (200 if text.strip() else 400)

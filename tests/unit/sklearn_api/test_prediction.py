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

from sklearn_api.calibration import Sigmoid
from sklearn_api.errors import SettingsError
from sklearn_api.prediction import prediction_endpoint
from sklearn_api.signature import (
    STRING,
    Input,
    Label,
)
from tests.helpers.endpoints import (
    MAX_BODY,
    MAX_INSTANCES,
    Context,
    Handler,
    answer,
    event,
    make_handler,
    publish,
)
from tests.helpers.events import read_event
from tests.helpers.fakes import FakeS3, pointer_to
from tests.helpers.stored import REVIEW_SIGNATURE, stored

TEXTS = ["I love this movie", "I hate this movie", "love it", "hate it"]
CALIBRATION = Sigmoid(2.0, 0.1)
ALIASES = {"movie_text": "review_text"}


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)).fit(TEXTS, [1, 0, 1, 0])


@pytest.fixture(scope="module")
def artifact(pipeline: Pipeline) -> bytes:
    return stored(pipeline, CALIBRATION, signature=REVIEW_SIGNATURE).content


@pytest.fixture(scope="module")
def handler(artifact: bytes) -> Handler:
    return make_handler(publish(artifact), aliases=ALIASES)


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
        "probabilities": {
            "Negative Review": 1.0 - CALIBRATION.probability(score),
            "Positive Review": CALIBRATION.probability(score),
        },
        "model": {"name": "review", "version": "7"},
    }
    assert json.loads(answer["body"]) == expected
    assert list(json.loads(answer["body"])) == list(expected), "in this order"


def test_a_model_that_is_not_calibrated_gives_no_probability(pipeline: Pipeline) -> None:
    """The fields are still there, and null."""
    body = answer(
        make_handler(publish(stored(pipeline, signature=REVIEW_SIGNATURE).content)),
        {"review_text": "love it"},
    )
    assert (body["probability"], body["probabilities"]) == (None, None)
    assert body["score"] > 0


def test_a_client_that_prefers_text_gets_only_the_prediction(handler: Handler) -> None:
    """`Accept: text/plain` gives the prediction and nothing around it."""
    answer = handler(event({"review_text": "hate it"}, Accept="text/plain"), Context())
    assert answer["body"] == "Negative Review"
    assert answer["headers"]["Content-Type"] == "text/plain; charset=utf-8"


def test_the_field_has_an_alias(handler: Handler) -> None:
    """`movie_text` means the same as `review_text`."""
    answers = [answer(handler, {name: "love it"}) for name in ("review_text", "movie_text")]
    assert answers[0] == answers[1]


def test_many_instances_are_answered_in_the_order_asked(
    handler: Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each answer is that of the instance alone, and the log says how many there were."""
    texts = ["hate it", "love it", "unheard of", "hate it"]
    instances = [{"review_text": text} for text in texts]
    found = answer(handler, {"instances": instances})
    assert json.loads(capsys.readouterr().out)["instances"] == 4
    alone = [answer(handler, instance) for instance in instances]
    assert found["model"] == alone[0]["model"]
    assert [{**one, "model": found["model"]} for one in found["predictions"]] == alone
    assert len(answer(handler, {"instances": [{"review_text": "x"}] * MAX_INSTANCES})) == 2


def test_many_instances_are_always_answered_in_json(handler: Handler) -> None:
    """As text, one prediction could not be told from the next."""
    body = {"instances": [{"review_text": "love it"}]}
    found = handler(event(body, Accept="text/plain"), Context())
    assert json.loads(found["body"])["predictions"][0]["prediction"] == "Positive Review"


def test_nothing_is_answered_in_part(handler: Handler) -> None:
    """One wrong instance among many is a problem that names it, and no prediction."""
    body = {"instances": [{"review_text": "love it"}, {"movie_text": 1, "stars": 5}]}
    found = handler(event(body), Context())
    assert found["statusCode"] == 400
    problem = json.loads(found["body"])
    assert [(one["instance"], one["field"]) for one in problem["errors"]] == [
        (1, "movie_text"),
        (1, "stars"),
    ]
    assert problem["field"] == "movie_text"
    assert problem["detail"].startswith("instance 1: the field 'movie_text' must be a string, not")
    assert "predictions" not in problem


def test_fields_and_words_change_with_the_model(artifact: bytes, pipeline: Pipeline) -> None:
    """A new version may take another field and answer in other words, without a deployment."""
    s3 = publish(artifact)
    handler = make_handler(s3, aliases=ALIASES)
    assert answer(handler, {"review_text": "love it"})["prediction"] == "Positive Review"
    inputs = (Input("comment", STRING, nullable=False, objects=True),)
    signature = REVIEW_SIGNATURE._replace(inputs=inputs, labels=(Label(0, "👎"), Label(1, "👍")))
    newer = stored(pipeline, signature=signature).content
    s3.serve(pointer_to(newer, version="8"), newer)
    assert answer(handler, {"comment": "love it"})["prediction"] == "👍"
    problem = json.loads(handler(event({"movie_text": "love it"}), Context())["body"])
    assert (problem["status"], problem["field"]) == (400, "comment")


def test_an_alias_of_a_field_that_the_model_does_not_have_is_logged(
    artifact: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """A declaration with a wrong name still serves, and the log says what is wrong with it."""
    handler = make_handler(publish(artifact), aliases={"movie_text": "reveiw_text"})
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["fields"]) == ("WARNING", ["reveiw_text"])
    assert answer(handler, {"review_text": "love it"})["label"] == 1


@pytest.mark.parametrize("own_code", ["handlers.tickets.text.tokenize", ["tokenize"]])
def test_own_code_that_is_not_a_list_of_full_names_is_an_error(own_code: Any) -> None:
    """A forgotten comma or module is found when the Lambda starts, not when the model is loaded."""
    with pytest.raises(SettingsError, match=r"own_code is .* must list full names"):
        make_handler(FakeS3(), own_code=own_code)


def test_the_log_has_ids_and_version_but_no_word_of_the_review(
    handler: Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log line identifies the request and the model, and never contains what a client wrote."""
    handler(event({"review_text": "Rosebud is a sled"}), Context())
    handler(event({"review_text": ["Rosebud"]}), Context())
    out = capsys.readouterr().out
    first, second = (json.loads(line) for line in out.splitlines())
    assert (first["instances"], first["form"]) == (1, "compiled")
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
    handler = make_handler(s3, aliases=ALIASES)
    answer = handler(read_event("review"), Context())
    assert answer["statusCode"] == 503
    assert int(answer["headers"]["Retry-After"]) > 0
    assert "no model 'review' has been published" in json.loads(answer["body"])["detail"]
    s3.objects |= publish(artifact).objects
    assert handler(read_event("review"), Context())["statusCode"] == 200


def test_a_body_that_is_not_json_is_400_even_without_a_model() -> None:
    """Retrying it cannot help; which fields there are is only known with a model."""
    handler = make_handler(FakeS3())
    assert handler({**event({}), "body": "{"}, Context())["statusCode"] == 400
    assert handler(event({}), Context())["statusCode"] == 503


def test_a_failed_refresh_is_logged_and_does_not_change_answers(
    artifact: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """If S3 fails later, the model keeps serving, and one warning says why."""
    s3 = publish(artifact)
    handler = make_handler(s3, aliases=ALIASES)
    s3.failure = FakeS3.unreachable()
    for _ in range(2):
        assert handler(read_event("review"), Context())["statusCode"] == 200
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["level"] for line in lines] == ["WARNING", "INFO", "INFO"]
    assert "still serving review 7: " in lines[0]["reason"]


def test_a_lambda_without_its_settings_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing setting is an error at the cold start, which names the setting."""
    monkeypatch.delenv("MODEL_BUCKET", raising=False)
    with pytest.raises(SettingsError, match="MODEL_BUCKET"):
        prediction_endpoint()


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


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(["instances", "review_text", "movie_text", "stars"]), children
        )
    ),
    max_leaves=10,
)


@given(json_values | st.fixed_dictionaries({"instances": st.lists(json_values, max_size=3)}))
def test_any_json_gets_an_answer_or_a_problem(handler: Handler, body: Any) -> None:
    """Whatever a client sends as JSON is answered, or is the client's mistake."""
    assert handler(event(body), Context())["statusCode"] in (200, 400, 413)

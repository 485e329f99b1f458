"""What every endpoint does besides its own work: errors, headers and the log."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_api.endpoint import Endpoint, JsonLog
from sklearn_api.errors import BadRequestError
from sklearn_api.http import JSON, TEXT, Request, Response


class Context:
    aws_request_id = "lambda-id"


def endpoint(error: Exception | None = None) -> Endpoint:
    def answer(request: Request, log_fields: dict[str, object]) -> Response:
        log_fields["model_version"] = "7"
        if error:
            raise error
        return Response(200, "fine", TEXT)

    return Endpoint("thing", answer, JsonLog("INFO"))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


EVENT = {"httpMethod": "GET", "requestContext": {"requestId": "gateway-id"}, "body": "secret words"}


def test_each_request_is_logged_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The line has both ids, the status and the duration, and says whether the start was cold."""
    handler = endpoint()
    for _ in range(2):
        assert handler(EVENT, Context())["statusCode"] == 200
    first, second = lines(capsys)
    assert first["request_id"] == "gateway-id"
    assert first["lambda_request_id"] == "lambda-id"
    assert (first["status"], first["endpoint"], first["model_version"]) == (200, "thing", "7")
    assert first["duration_ms"] >= 0
    assert (first["cold_start"], second["cold_start"]) == (True, False)


def test_an_error_of_the_package_is_answered_with_its_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A `SklearnApiError` becomes problem details with its own status."""
    event = endpoint(BadRequestError("wrong", field="f"))(EVENT, Context())
    assert event["statusCode"] == 400
    assert json.loads(event["body"])["field"] == "f"
    assert lines(capsys)[0]["error"] == "BadRequestError: wrong"


def test_any_other_error_is_500_and_reveals_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The client gets the request id and no traceback; the log gets the frames and no message."""
    event = endpoint(ValueError("secret words"))(EVENT, Context())
    assert event["statusCode"] == 500
    problem = json.loads(event["body"])
    assert problem["request_id"] == "gateway-id"
    assert "secret" not in event["body"]
    assert "Traceback" not in event["body"]
    (line,) = lines(capsys)
    assert (line["level"], line["error"]) == ("ERROR", "ValueError")
    assert any("test_endpoint.py" in frame for frame in line["frames"])
    assert "secret" not in json.dumps(line)


def test_an_answer_that_cannot_be_sent_is_500(capsys: pytest.CaptureFixture[str]) -> None:
    """A result that is not valid JSON, such as a score of NaN, is an error like any other."""

    def answer(request: Request, log_fields: dict[str, object]) -> Response:
        return Response(200, {"score": float("nan")}, JSON)

    event = Endpoint("thing", answer, JsonLog("INFO"))(EVENT, Context())
    assert event["statusCode"] == json.loads(event["body"])["status"] == 500
    assert [line["status"] for line in lines(capsys)] == [500]


def test_answers_are_not_cached_or_sniffed() -> None:
    """The headers forbid caching and sniffing, and contain the request id."""
    headers = endpoint()(EVENT, Context())["headers"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Request-Id"] == "gateway-id"


def test_the_level_is_a_threshold(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines below the level are not written."""
    log = JsonLog("WARNING")
    log("INFO", "quiet")
    log("ERROR", "loud")
    assert [line["message"] for line in lines(capsys)] == ["loud"]


@given(st.none() | st.integers() | st.dictionaries(st.text(), st.text()) | st.lists(st.text()))
def test_any_event_gets_a_response(event: Any) -> None:
    """Whatever event a function is invoked with, it returns a response for API Gateway."""
    answer = endpoint()(event, None)
    assert json.loads(json.dumps(answer))["statusCode"] == 200

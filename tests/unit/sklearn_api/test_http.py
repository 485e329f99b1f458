"""Requests made from events, and events made from responses."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_api.errors import (
    BadRequestError,
    InvalidInstancesError,
    Mistake,
    PayloadTooLargeError,
    SklearnApiError,
    UnsupportedMediaTypeError,
)
from sklearn_api.http import JSON, TEXT, Request, Response


def request(body: bytes | str | None = None, **headers: str) -> Request:
    """Return a request as API Gateway delivers it."""
    event: dict[str, Any] = {
        "httpMethod": "POST",
        "resource": "/review",
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"requestId": "gateway-id"},
        "body": body,
        "isBase64Encoded": False,
    }
    if isinstance(body, bytes):
        event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return Request.from_event(event, "lambda-id")


@pytest.mark.parametrize("body", [b'{"a": "\xc3\xa9"}', '{"a": "é"}'])
def test_a_body_may_be_base64_or_text(body: bytes | str) -> None:
    """API Gateway delivers bytes as base64 and text unchanged; both are read as the same request."""
    assert request(body).json(100) == {"a": "é"}


def test_the_request_id_comes_from_the_gateway_or_else_from_lambda() -> None:
    """Clients see the gateway's request id; a direct invocation only has Lambda's."""
    assert request().request_id == "gateway-id"
    assert Request.from_event({}, "lambda-id").request_id == "lambda-id"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, "body cannot be empty"),
        ("", "body cannot be empty"),
        (b" \n", "body cannot be empty"),
        (b'{"a": ', "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b"[" * 50_000, "not valid JSON"),
        (b"1" * 50_000, "not valid JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        ('{"a": "\ud800"}', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b'{"a": 1, "a": 1}', "two fields with the same name"),
        (b'{"a": [{"b": 1, "c": 2, "b": 3}]}', "two fields with the same name"),
        (b"[1]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
    ],
)
def test_a_body_that_is_not_a_json_object_is_refused(
    body: bytes | str | None, message: str
) -> None:
    """Every kind of malformed body is a 400 that says what is wrong."""
    with pytest.raises(BadRequestError, match=message):
        request(body).json(100_000)


def test_a_body_that_is_not_valid_base64_is_refused() -> None:
    """A body that is declared as base64 and cannot be decoded is the client's error."""
    event = {"body": "%%%", "isBase64Encoded": True}
    with pytest.raises(BadRequestError, match="base64"):
        Request.from_event(event, "-").json(100)


@pytest.mark.parametrize("encode", [bytes.decode, bytes])
def test_the_limit_is_exact(encode: Any) -> None:
    """A body of exactly the limit is read; one byte more is 413."""
    body = b'{"a": "' + b"x" * 91 + b'"}'
    assert len(body) == 100
    assert request(encode(body)).json(100)
    with pytest.raises(PayloadTooLargeError, match="100 bytes"):
        request(encode(body + b" ")).json(100)


@pytest.mark.parametrize("is_base64", [True, False])
def test_a_body_over_the_limit_is_not_decoded(is_base64: bool) -> None:
    """A body that is too long is 413 by its length alone, even if it cannot be decoded."""
    event = {"body": "%" * 1000, "isBase64Encoded": is_base64}
    with pytest.raises(PayloadTooLargeError):
        Request.from_event(event, "-").json(100)


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json", None],
)
def test_json_is_accepted_by_all_its_media_types(media_type: str | None) -> None:
    """JSON is accepted under each of its media types, and without one."""
    headers = {"Content_Type": media_type} if media_type else {}
    assert request(b"{}", **headers).json(100) == {}


def test_other_media_types_are_refused() -> None:
    """Any other media type is 415, and the message contains the header to send."""
    for media_type in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
        with pytest.raises(UnsupportedMediaTypeError, match="Content-Type: application/json"):
            request(b"a=1", content_type=media_type).json(100)


def test_json_that_curl_labels_as_a_form_is_read() -> None:
    """`curl -d` labels everything as a form, so a JSON object with that label is read as well."""
    form = "application/x-www-form-urlencoded"
    assert request(b' {"a": 1}', content_type=form).json(100) == {"a": 1}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("application/json", JSON),
        ("text/plain;q=0.5, application/json", JSON),
        ("application/json;q=0.5, text/*", TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", TEXT),
        ("application/*, text/plain;q=0", JSON),
        ("image/png", TEXT),
        ("application/json;q=nonsense", TEXT),
    ],
)
def test_the_accept_header_chooses_the_format(accept: str, expected: str) -> None:
    """Quality and precision decide; a tie goes to the first format offered."""
    assert request(None, accept=accept).accepts((TEXT, JSON)) == expected


def test_a_problem_has_status_detail_request_id_and_field() -> None:
    """Problem details have the status, title, detail, request id, and the invalid field."""
    error = BadRequestError("no good", field="text", headers={"Retry-After": "1"})
    event = Response.problem(error, "the-id").to_event("the-id")
    assert event["statusCode"] == 400
    assert event["headers"]["Content-Type"] == "application/problem+json"
    assert event["headers"]["Retry-After"] == "1"
    assert json.loads(event["body"]) == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "no good",
        "request_id": "the-id",
        "field": "text",
    }


def test_a_problem_lists_the_mistakes_of_instances() -> None:
    """Each mistake has the position of its instance, its field and a sentence."""
    mistakes = [Mistake(0, "a", "the field 'a' is missing"), Mistake(2, None, "no object")]
    content = Response.problem(InvalidInstancesError(mistakes, many=True), "the-id").content
    assert isinstance(content, dict)
    assert content["errors"] == [
        {"instance": 0, "field": "a", "detail": "the field 'a' is missing"},
        {"instance": 2, "field": None, "detail": "no object"},
    ]
    assert content["field"] == "a"
    assert content["detail"].startswith("instance 0: the field 'a' is missing")


@given(st.binary(max_size=300), st.text(max_size=40))
def test_any_body_gives_an_object_or_a_client_error(body: bytes, kind: str) -> None:
    """Whatever the bytes and the media type, parsing fails only with a 4xx."""
    try:
        found = request(body, content_type=kind).json(200)
    except SklearnApiError as exc:
        assert 400 <= exc.status < 500
    else:
        assert isinstance(found, dict)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=16), children, max_size=3)
    ),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(["headers", "body", "isBase64Encoded", "requestContext", "httpMethod"]),
        json_values,
    )
    | json_values
)
def test_any_event_is_a_request(event: Any) -> None:
    """An event of any shape is read without an error."""
    found = Request.from_event(event, "id")
    assert isinstance(found.request_id, str)
    assert found.accepts((TEXT, JSON)) in (TEXT, JSON)

"""Parsing the head of HTTP/1.1 requests, and rejecting ambiguous ones."""

import pytest
from localstack_parity.http1 import UnsupportedRequestError, parse_head


def test_a_head_is_parsed_as_it_was_sent() -> None:
    """Names keep their case and fields their order; only whitespace around a value is dropped."""
    head = parse_head(
        b"POST /a%20b?c=d HTTP/1.1\r\nHost: h\r\nX-Twice: 1\r\nx-twice:\t 2 3 \r\nX-Empty:\r\n"
        b"content-length: 12\r\nX-Latin: \xe9"
    )
    assert (head.method, head.target) == ("POST", "/a%20b?c=d")
    assert head.fields[1:4] == [("X-Twice", "1"), ("x-twice", "2 3"), ("X-Empty", "")]
    assert head.values("x-twice") == ["1", "2 3"]
    assert head.values("x-latin") == ["é"]
    assert head.content_length() == 12
    assert not head.chunked()


@pytest.mark.parametrize(
    "content",
    [
        b"GET / HTTP/1.0",
        b"GET /",
        b"get / HTTP/1.1",
        b"GET  / HTTP/1.1",
        b"GET /a b HTTP/1.1",
        b"GET / HTTP/1.1\r\nName : 1",
        b"GET / HTTP/1.1\r\nName: 1\r\n folded",
        b"GET / HTTP/1.1\r\nName: 1\nOther: 2",
        b"GET / HTTP/1.1\r\nName: 1\rOther: 2",
        b"GET / HTTP/1.1\r\nName: \x00",
        b"GET / HTTP/1.1\r\nno colon",
        b"GET / HTTP/1.1\r\n: no name",
    ],
)
def test_an_ambiguous_head_is_rejected(content: bytes) -> None:
    """Nothing is guessed: another parser of the same bytes may guess differently.

    https://www.rfc-editor.org/rfc/rfc9112#section-11.2
    """
    with pytest.raises(UnsupportedRequestError):
        parse_head(content)


@pytest.mark.parametrize(
    "field",
    [
        b"Content-Length: 1\r\nContent-Length: 1",
        b"Content-Length: +1",
        b"Content-Length: 1, 1",
        b"Content-Length: 0x1",
        b"Content-Length:",
    ],
)
def test_an_ambiguous_length_is_rejected(field: bytes) -> None:
    """A body has one length, in decimal digits."""
    head = parse_head(b"POST / HTTP/1.1\r\n" + field)
    with pytest.raises(UnsupportedRequestError):
        head.content_length()


@pytest.mark.parametrize(
    "field",
    [
        b"Transfer-Encoding: gzip",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3",
    ],
)
def test_an_ambiguous_encoding_is_rejected(field: bytes) -> None:
    """A body is chunked and nothing else, or has a length."""
    head = parse_head(b"POST / HTTP/1.1\r\n" + field)
    with pytest.raises(UnsupportedRequestError):
        head.chunked()


@pytest.mark.parametrize(
    ("value", "closes"),
    [(b"close", True), (b"keep-alive, Close", True), (b"keep-alive", False), (b"closed", False)],
)
def test_a_client_may_close_the_connection(value: bytes, closes: bool) -> None:
    """`close` is one of the options in the field, in any case."""
    assert parse_head(b"GET / HTTP/1.1\r\nConnection: " + value).closes() is closes

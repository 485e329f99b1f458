"""A parser for the head of HTTP/1.1 requests: the common subset of RFC 9112.

Python's `http.server` parses header fields with the email parser, which takes longer than all the
rest of a short exchange. This module rejects every request that it does not fully understand: its
callers pass such a request on to another server, or close the connection.
"""

import re
from dataclasses import dataclass

MAX_HEAD_BYTES = 65536
END_OF_HEAD = b"\r\n\r\n"
_REQUEST = re.compile(rb"([A-Z]+) ([!-~\x80-\xff]+) HTTP/1\.1")
# A name is a token, and a value has no control characters:
# https://www.rfc-editor.org/rfc/rfc9110#section-5
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\x00-\x08\x0a-\x1f\x7f]*)")
_LENGTH = re.compile(r"[0-9]{1,15}")


class UnsupportedRequestError(Exception):
    """A request that is malformed, or uses a part of HTTP that this module does not support."""


@dataclass(frozen=True)
class Head:
    """The head of a request.

    Attributes
    ----------
    method, target : str
        Method and request target; the target is as sent, decoded as Latin-1.
    fields : list of (str, str)
        Header fields in the order sent, with names as sent, decoded as Latin-1.
    """

    method: str
    target: str
    fields: list[tuple[str, str]]

    def values(self, name: str) -> list[str]:
        """Return the values of all fields with this name, given in lower case."""
        return [value for key, value in self.fields if key.lower() == name]

    def content_length(self) -> int:
        """Return the length of the body in bytes; 0 if there is no ``Content-Length`` field.

        Raises
        ------
        UnsupportedRequestError
            If the field is sent twice or is not a number.
        """
        lengths = self.values("content-length")
        if not lengths:
            return 0
        if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
            raise UnsupportedRequestError(f"Content-Length {lengths}")
        return int(lengths[0])

    def chunked(self) -> bool:
        """Return whether the body is chunked.

        Raises
        ------
        UnsupportedRequestError
            If the body has any other transfer encoding, or a length as well.
        """
        encodings = self.values("transfer-encoding")
        if not encodings:
            return False
        if [value.lower() for value in encodings] != ["chunked"] or self.values("content-length"):
            raise UnsupportedRequestError(f"Transfer-Encoding {encodings}")
        return True

    def closes(self) -> bool:
        """Return whether the client wants the connection closed after the response."""
        options = ",".join(self.values("connection")).lower().split(",")
        return "close" in [option.strip() for option in options]


def parse_head(content: bytes) -> Head:
    """Parse the head of a request.

    Parameters
    ----------
    content : bytes
        The head without the empty line at its end.

    Raises
    ------
    UnsupportedRequestError
        If the content is not the head of an HTTP/1.1 request.
    """
    first, *lines = content.split(b"\r\n")
    request = _REQUEST.fullmatch(first)
    if request is None:
        raise UnsupportedRequestError(f"request line {first[:100]!r}")
    fields: list[tuple[str, str]] = []
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise UnsupportedRequestError(f"header field {line[:100]!r}")
        fields.append((field[1].decode("ascii"), field[2].strip(b" \t").decode("latin-1")))
    return Head(request[1].decode("ascii"), request[2].decode("latin-1"), fields)

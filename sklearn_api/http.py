"""Turns API Gateway's event into a request, and a response into what API Gateway expects.

The event is that of a REST API with Lambda proxy integration, payload version 1.0:
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
Errors become problem details: https://www.rfc-editor.org/rfc/rfc9457
"""

import binascii
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from sklearn_api.errors import (
    BadRequestError,
    PayloadTooLargeError,
    SklearnApiError,
    UnsupportedMediaTypeError,
)

JSON = "application/json"
TEXT = "text/plain"
FORM = "application/x-www-form-urlencoded"
PROBLEM = "application/problem+json"


class Request(NamedTuple):
    """The parts of an event that an endpoint needs.

    Attributes
    ----------
    method, path : str
        ``-`` if the function was invoked directly, without API Gateway.
    headers : mapping
        Names in lower case.
    body : str or None
        As received: in base64 if `is_base64`.
    request_id : str
        API Gateway's id of the request, or Lambda's if the function was invoked directly.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: str | None
    is_base64: bool
    request_id: str

    @classmethod
    def from_event(cls, event: object, aws_request_id: str) -> "Request":
        """Read an event; a value that is missing or of the wrong type counts as not sent."""
        values = event if isinstance(event, dict) else {}
        context = values.get("requestContext")
        headers = values.get("headers")
        body = values.get("body")
        request_id = context.get("requestId") if isinstance(context, dict) else None
        return cls(
            method=str(values.get("httpMethod") or "-"),
            path=str(values.get("resource") or values.get("path") or "-"),
            headers={
                str(name).lower(): str(value)
                for name, value in (headers.items() if isinstance(headers, dict) else ())
            },
            body=body if isinstance(body, str) else None,
            is_base64=values.get("isBase64Encoded") is True,
            request_id=str(request_id or aws_request_id),
        )

    def accepts(self, offered: Sequence[str]) -> str:
        """Return the media type in `offered` that the client prefers, the first on a tie.

        A client that accepts none of them gets the first: a wrong format is more useful than 406
        (RFC 9110, section 12.4.1, allows either).
        """
        accept = self.headers.get("accept", "*/*")
        if accept == "*/*":  # what most clients send that have no preference
            return offered[0]
        return max(offered, key=lambda media_type: _quality(accept, media_type))

    def json(self, max_bytes: int) -> dict[str, Any]:
        """Return the body as a JSON object.

        Raises
        ------
        UnsupportedMediaTypeError
            The body is declared as something else.
        PayloadTooLargeError
            The body is longer than `max_bytes`.
        BadRequestError
            The body is empty, not UTF-8, not JSON, or not an object; or an object in it has two
            fields with the same name.
        """
        content = self._content(max_bytes)
        if not content.strip():
            raise BadRequestError("body cannot be empty")
        if not self._declares_json(content):
            raise UnsupportedMediaTypeError(
                f"the body must be JSON; send it with the header 'Content-Type: {JSON}'"
            )
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as exc:
            raise BadRequestError(f"the body is not UTF-8 (byte {exc.start})") from exc
        try:
            value = _DECODER.decode(text)
        except json.JSONDecodeError as exc:
            raise BadRequestError(
                f"the body is not valid JSON: {exc.msg} (line {exc.lineno}, column {exc.colno})"
            ) from exc
        except (RecursionError, ValueError) as exc:  # too deep, or a number with too many digits
            raise BadRequestError("the body is not valid JSON for this endpoint") from exc
        if not isinstance(value, dict):
            raise BadRequestError('the body must be a JSON object, such as {"…": "…"}')
        return value

    def _declares_json(self, content: bytes) -> bool:
        """Return whether the body is declared as JSON, or not declared at all.

        `curl -d` declares every body as a form, so a form that looks like a JSON object counts.
        """
        media_type = self.headers.get("content-type", JSON).split(";")[0].strip().lower()
        if media_type == FORM:
            return content.lstrip().startswith(b"{")
        return media_type == JSON or (
            media_type.startswith("application/") and media_type.endswith("+json")
        )

    def _content(self, max_bytes: int) -> bytes:
        body = self.body or ""
        # Measured before decoding: four characters of base64 are three bytes.
        length = len(body) * 3 // 4 - 2 if self.is_base64 else len(body)
        if length <= max_bytes:
            if self.is_base64:
                try:
                    content = binascii.a2b_base64(body, strict_mode=True)
                except (binascii.Error, ValueError) as exc:
                    raise BadRequestError("the body is declared as base64, but is not") from exc
            else:
                content = body.encode("utf-8", "surrogatepass")
            if len(content) <= max_bytes:
                return content
        raise PayloadTooLargeError(f"the body is longer than {max_bytes:,} bytes")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's fields. Of two with one name, RFC 8259 does not say which counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadRequestError("an object in the body has two fields with the same name")
    return found


_DECODER = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_without_duplicates)


def _quality(accept: str, media_type: str) -> float:
    """Return the quality that an Accept header gives a media type (RFC 9110, section 12.5.1)."""
    main = media_type.split("/")[0]
    best, best_precision = (0.0 if accept.strip() else 1.0), -1
    for entry in accept.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        precision = {"*/*": 0, f"{main}/*": 1, media_type: 2}.get(name, -1)
        if precision <= best_precision:
            continue
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = min(1.0, max(0.0, float(parameter[2:])))
                except ValueError:
                    quality = 0.0
        best, best_precision = quality, precision
    return best


class Response(NamedTuple):
    """The answer to a request.

    Attributes
    ----------
    status : int
        HTTP status.
    content : str or dict
        A string is sent as it is, a dict as JSON.
    content_type : str
        Media type.
    headers : mapping
        Additional headers.
    """

    status: int
    content: str | Mapping[str, Any]
    content_type: str
    headers: Mapping[str, str] = MappingProxyType({})

    @classmethod
    def problem(cls, error: SklearnApiError, request_id: str) -> "Response":
        """Return an error as problem details, with the request's id to quote in a report."""
        content: dict[str, Any] = {
            "type": "about:blank",
            "title": error.title,
            "status": error.status,
            "detail": str(error),
            "request_id": request_id,
        }
        if error.field is not None:
            content["field"] = error.field
        if error.mistakes:
            content["errors"] = [one._asdict() for one in error.mistakes]
        return cls(error.status, content, PROBLEM, error.headers)

    def to_event(self, request_id: str) -> dict[str, Any]:
        """Return what API Gateway expects from a Lambda."""
        text = self.content
        if not isinstance(text, str):
            text = json.dumps(text, ensure_ascii=False, allow_nan=False)
        # RFC 8259 defines no charset for JSON: it is always UTF-8.
        charset = "; charset=utf-8" if self.content_type == TEXT else ""
        return {
            "statusCode": self.status,
            "headers": {
                "Content-Type": f"{self.content_type}{charset}",
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "X-Request-Id": request_id,
                **self.headers,
            },
            "body": text,
            "isBase64Encoded": False,
        }

"""Request bodies: pass them on unchanged, and refuse those over 10 MB."""

from typing import TYPE_CHECKING, Any

from localstack.services.apigateway.next_gen.execute_api.gateway_response import (
    RequestTooLargeError,
)
from localstack.services.apigateway.next_gen.execute_api.handlers import parse

if TYPE_CHECKING:
    from localstack.http import Request
    from localstack.services.apigateway.next_gen.execute_api.context import (
        RestApiInvocationContext,
    )

# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
MAX_BODY_BYTES = 10 * 1024 * 1024


def pass_bodies_unchanged() -> None:
    """Pass request bodies on byte for byte, as AWS does.

    LocalStack parses a body that is labelled as a form and encodes it anew, and ``curl -d`` labels
    every body as a form: the JSON ``{"a": 1}`` arrives as ``%7B%22a%22%3A+1%7D=``.
    """
    parse.restore_payload = _raw_body  # type: ignore[attr-defined]  # imported, not re-exported


def refuse_long_body(chain: Any, context: "RestApiInvocationContext", response: Any) -> None:
    """Refuse a request whose body is longer than `MAX_BODY_BYTES`, before its key is checked.

    Raises
    ------
    RequestTooLargeError
        The gateway response ``REQUEST_TOO_LARGE``, with status 413.
    """
    request = context.invocation_request
    if request and len(request["body"]) > MAX_BODY_BYTES:
        raise RequestTooLargeError("Request Too Long")


def _raw_body(request: "Request") -> bytes:
    return bytes(request.get_data())

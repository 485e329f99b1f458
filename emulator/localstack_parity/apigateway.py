"""Where LocalStack's API Gateway differs from AWS in what reaches a function."""

from typing import TYPE_CHECKING

from localstack.services.apigateway.next_gen.execute_api.handlers import parse

if TYPE_CHECKING:
    from localstack.http import Request


def pass_bodies_unchanged() -> None:
    """Hand request bodies over byte for byte, as AWS does.

    LocalStack parses a body that is labelled as a form and writes it anew, and ``curl -d`` labels
    everything as a form: the JSON ``{"a": 1}`` arrives as ``%7B%22a%22%3A+1%7D=``.
    """
    parse.restore_payload = _raw_body  # type: ignore[attr-defined]  # a name that it imports


def _raw_body(request: "Request") -> bytes:
    return bytes(request.get_data())

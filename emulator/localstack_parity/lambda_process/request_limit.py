"""The largest event of an invocation.

LocalStack accepts events of any size; AWS refuses large ones before it invokes the function
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
"""

from typing import Any

from localstack.services.lambda_.invocation.lambda_models import RequestEntityTooLargeException
from localstack.services.lambda_.invocation.lambda_service import LambdaService

SYNCHRONOUS_BYTES = 6_291_456
ASYNCHRONOUS_BYTES = 1_048_576


def install() -> None:
    """Make LocalStack refuse events that AWS refuses."""
    invoke = LambdaService.invoke

    def limited(self: LambdaService, *arguments: Any, **named: Any) -> Any:
        size = len(named.get("payload") or b"")
        limit = ASYNCHRONOUS_BYTES if named.get("invocation_type") == "Event" else SYNCHRONOUS_BYTES
        if size > limit:
            raise RequestEntityTooLargeException(
                f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
            )
        return invoke(self, *arguments, **named)

    LambdaService.invoke = limited  # type: ignore[method-assign]

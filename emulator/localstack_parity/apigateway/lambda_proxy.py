"""API Gateway hands a request to a function without a detour.

LocalStack's integration calls the function as any client would: with boto3, through its own
gateway, whose answer is serialised and parsed again. That takes longer than the whole rest of a
request. Here it asks the Lambda service, with the trace of the request that it serves
(https://docs.aws.amazon.com/xray/latest/devguide/xray-services-apigateway.html).
"""

import re
from contextvars import ContextVar
from typing import Any

from botocore.exceptions import ClientError  # type: ignore[import-untyped]  # it has no types
from localstack.aws.api import ServiceException
from localstack.aws.api.lambda_ import InvocationType
from localstack.services.apigateway.next_gen.execute_api.context import RestApiInvocationContext
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import (
    RestApiAwsProxyIntegration,
)
from localstack.services.lambda_.invocation.lambda_service import LambdaService
from localstack.services.lambda_.invocation.models import lambda_stores
from localstack.services.plugins import SERVICE_PLUGINS
from localstack.utils.strings import long_uid, to_bytes
from localstack.utils.xray.trace_header import TraceHeader

_FUNCTION = re.compile(
    r"arn:[a-z-]+:lambda:([a-z0-9-]+):([0-9]{12}):function:([\w-]+)(?::([\w$-]+))?"
)
_TRACE: ContextVar[str] = ContextVar("trace", default="")


def install() -> None:
    """Have Lambda proxy integrations ask the Lambda service directly."""
    through_client = RestApiAwsProxyIntegration.call_lambda
    invoke = RestApiAwsProxyIntegration.invoke

    def invoke_with_trace(
        self: RestApiAwsProxyIntegration, context: RestApiInvocationContext
    ) -> Any:
        token = _TRACE.set(context.trace_id or "")
        try:
            return invoke(self, context)
        finally:
            _TRACE.reset(token)

    def call_lambda(
        function_arn: str, event: bytes, source_arn: str, credentials: str | None = None
    ) -> bytes:
        found = _FUNCTION.fullmatch(function_arn)
        service = _lambda_service()
        if credentials or found is None or service is None:
            return through_client(function_arn, event, source_arn, credentials)  # type: ignore[arg-type]  # it takes None
        region, account, name, qualifier = found.groups()
        if name not in lambda_stores[account][region].functions:
            return through_client(function_arn, event, source_arn)
        return _invoke(service, region, account, name, qualifier, event)

    RestApiAwsProxyIntegration.invoke = invoke_with_trace  # type: ignore[method-assign]  # the same
    RestApiAwsProxyIntegration.call_lambda = staticmethod(call_lambda)  # type: ignore[method-assign]  # the same


def _invoke(
    service: LambdaService,
    region: str,
    account: str,
    name: str,
    qualifier: str | None,
    event: bytes,
) -> bytes:
    trace = TraceHeader.from_header_str(_TRACE.get()).ensure_root_exists()  # type: ignore[no-untyped-call]  # it has no types
    try:
        result = service.invoke(
            function_name=name,
            qualifier=qualifier,
            region=region,
            account_id=account,
            invocation_type=InvocationType.RequestResponse,
            client_context=None,
            request_id=long_uid(),
            payload=event,
            trace_context={"aws_trace_header": trace},
        )
    except ServiceException as exc:  # as the integration knows it from its client
        answer = {"Error": {"Code": exc.code, "Message": exc.message}}
        raise ClientError(answer, "Invoke") from exc
    return to_bytes(result.payload or b"") if result else b""


def _lambda_service() -> LambdaService | None:
    """Return the service, None before its first use: the client has it loaded."""
    if not SERVICE_PLUGINS.is_running("lambda"):
        return None
    loaded = SERVICE_PLUGINS.get_service("lambda")
    return getattr(getattr(loaded, "_provider", None), "lambda_service", None)

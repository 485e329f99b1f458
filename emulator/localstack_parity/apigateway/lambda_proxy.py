"""Lambda proxy integrations: API Gateway calls the Lambda service directly.

LocalStack's integration calls a function as any client would: with boto3, through LocalStack's own
gateway, whose response is serialised and then parsed again. That takes longer than the whole rest
of a request. Here the integration calls the Lambda service itself, and passes on the trace of the
request (https://docs.aws.amazon.com/xray/latest/devguide/xray-services-apigateway.html).
"""

import re
from contextvars import ContextVar
from typing import Any

from botocore.exceptions import ClientError  # type: ignore[import-untyped]  # botocore is untyped
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
    """Make Lambda proxy integrations call the Lambda service directly.

    Calls with credentials, and calls to functions that the service does not know, still go through
    boto3.
    """
    call_with_boto3 = RestApiAwsProxyIntegration.call_lambda
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
            return call_with_boto3(function_arn, event, source_arn, credentials)  # type: ignore[arg-type]  # it accepts None
        region, account, name, qualifier = found.groups()
        if name not in lambda_stores[account][region].functions:
            return call_with_boto3(function_arn, event, source_arn)
        return _invoke(service, region, account, name, qualifier, event)

    RestApiAwsProxyIntegration.invoke = invoke_with_trace  # type: ignore[method-assign]  # a patch
    RestApiAwsProxyIntegration.call_lambda = staticmethod(call_lambda)  # type: ignore[method-assign]  # a patch


def _invoke(
    service: LambdaService,
    region: str,
    account: str,
    name: str,
    qualifier: str | None,
    event: bytes,
) -> bytes:
    trace = TraceHeader.from_header_str(_TRACE.get()).ensure_root_exists()  # type: ignore[no-untyped-call]  # LocalStack does not annotate it
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
    except ServiceException as exc:  # the integration handles the exceptions of boto3
        response = {"Error": {"Code": exc.code, "Message": exc.message}}
        raise ClientError(response, "Invoke") from exc
    return to_bytes(result.payload or b"") if result else b""


def _lambda_service() -> LambdaService | None:
    """Return the Lambda service, or None before its first use: a call by boto3 loads it."""
    if not SERVICE_PLUGINS.is_running("lambda"):
        return None
    loaded = SERVICE_PLUGINS.get_service("lambda")
    return getattr(getattr(loaded, "_provider", None), "lambda_service", None)

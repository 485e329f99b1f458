"""How long API Gateway waits for an integration."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import (
    Function,
    LocalStack,
    create_api,
    lambda_integration,
    start_localstack,
    wait_for,
)
from localstack.services.lambda_.invocation.lambda_models import Function as LambdaFunction
from localstack.services.lambda_.invocation.models import lambda_stores
from localstack_parity.apigateway.integration_timeout import (
    NotInTimeError,
    Workers,
    ends_in_time,
    timeout_of,
)
from localstack_parity.lambda_process.executor import INIT_SECONDS

SLOW = """
import time

def handler(event, context):
    time.sleep(1)
    print("continued to the end")
    return {"statusCode": 200, "body": "late"}
"""
QUICK = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'in time'}\n"


def test_the_client_of_a_slow_function_gets_a_504_and_the_function_continues(
    localstack: LocalStack, function: Callable[..., Function]
) -> None:
    """The client gets AWS's 504 after `timeoutInMillis`, and the invocation runs to its end.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
    """
    made = function(SLOW)
    api = create_api(localstack, {"/ GET": {**lambda_integration(made), "timeoutInMillis": 50}})
    late = api.request()
    assert (late.status, late.message) == (504, "Endpoint request timed out")
    assert late.headers["x-amzn-errortype"] == "InternalServerErrorException"
    assert not [event for event in made.events() if "continued" in event]
    wait_for(lambda: [event for event in made.events() if "continued" in event], what="the end")


def test_a_function_within_the_limit_responds(
    localstack: LocalStack, function: Callable[..., Function]
) -> None:
    """A time limit that is not exceeded changes nothing."""
    integration = {**lambda_integration(function(QUICK)), "timeoutInMillis": 29_000}
    answer = create_api(localstack, {"/ GET": integration}).request()
    assert (answer.status, answer.body) == (200, b"in time")


def test_a_slow_web_server_times_out_too(
    localstack: LocalStack, function: Callable[..., Function]
) -> None:
    """HTTP integrations have the same limit, and the gateway response can be customised.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    slow = create_api(localstack, {"/ GET": lambda_integration(function(SLOW))})
    api = create_api(
        localstack,
        {
            "/ GET": {
                "type": "HTTP_PROXY",
                "integrationHttpMethod": "GET",
                "uri": f"{localstack.url}/_aws/execute-api/{slow.id}/{slow.stage}/",
                "timeoutInMillis": 50,
            }
        },
    )
    assert api.request().status == 504
    localstack.client("apigateway").put_gateway_response(
        restApiId=api.id, responseType="INTEGRATION_TIMEOUT", statusCode="408"
    )
    api.deploy()
    assert api.request().status == 408


def test_localstack_stops_while_an_integration_hangs(tmp_path: Path) -> None:
    """An abandoned call does not keep LocalStack from stopping."""
    localstack = start_localstack(tmp_path)
    try:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            hung = {
                "type": "HTTP_PROXY",
                "integrationHttpMethod": "GET",
                "uri": f"http://127.0.0.1:{silent.getsockname()[1]}/",
                "timeoutInMillis": 50,
            }
            assert create_api(localstack, {"/ GET": hung}).request().status == 504
            localstack.stop()
    finally:
        localstack.process.kill()
    assert localstack.process.returncode == 0


@pytest.mark.parametrize(
    ("timeout", "limit", "ends"), [(15, 29, True), (19, 29, False), (30, 29, False), (3, 10, False)]
)
def test_a_function_that_ends_in_time_by_itself_needs_no_thread(
    timeout: int, limit: int, ends: bool
) -> None:
    """No thread is needed if a cold start (at most 10 s) and the function's own timeout fit into the limit.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
    """
    name = f"f-{timeout}"
    function = LambdaFunction(name)
    function.versions["$LATEST"] = SimpleNamespace(config=SimpleNamespace(timeout=timeout))
    lambda_stores["000000000000"]["us-east-1"].functions[name] = function
    uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1"
    uri += ":000000000000:function"
    integration = {"type": "AWS_PROXY", "uri": f"{uri}:{name}/invocations"}
    assert ends_in_time(integration, limit, INIT_SECONDS) is ends
    unknown = {"type": "AWS_PROXY", "uri": f"{uri}:other-{name}/invocations"}
    assert not ends_in_time(unknown, limit, INIT_SECONDS)
    web = {"type": "HTTP_PROXY", "uri": "http://127.0.0.1/"}
    assert not ends_in_time(web, limit, INIT_SECONDS)


@pytest.mark.parametrize(
    ("integration", "seconds"),
    [({}, 29.0), ({"timeoutInMillis": None}, 29.0), ({"timeoutInMillis": 50}, 0.05),
     ({"timeoutInMillis": "29000"}, 29.0)],
)  # fmt: skip
def test_the_default_is_29_seconds(integration: dict[str, Any], seconds: float) -> None:
    """Without a `timeoutInMillis`, AWS's default applies.

    https://docs.aws.amazon.com/apigateway/latest/api/API_PutIntegration.html
    """
    assert timeout_of(integration) == seconds


def test_a_caller_gets_what_the_call_returns_or_raises() -> None:
    """A call in a worker thread behaves like a call in the caller's own."""
    workers = Workers(1)
    assert workers.call(lambda: 42, 10) == 42
    with pytest.raises(ZeroDivisionError):
        workers.call(lambda: 1 // 0, 10)
    assert workers.call(threading.get_ident, 10) == workers.call(threading.get_ident, 10)
    assert workers.call(threading.get_ident, 10) != threading.get_ident()


def test_abandoned_calls_keep_their_slots() -> None:
    """No more calls run than there are slots: abandoned calls keep theirs until they end."""
    workers, release, started = Workers(2), threading.Event(), []

    def hang() -> None:
        started.append(threading.current_thread())
        release.wait(30)

    for _ in range(4):
        with pytest.raises(NotInTimeError):
            workers.call(hang, 0.05)
    assert len(started) == 2
    release.set()
    assert workers.call(lambda: "free again", 10) == "free again"
    assert {thread.daemon for thread in started} == {True}

"""Request bodies: what API Gateway passes to a function."""

import json
import urllib.request
from collections.abc import Callable

import pytest
from conftest import Function, LocalStack, create_api, lambda_integration

SOURCE = "def handler(event, context):\n    return {'statusCode': 200, 'body': event['body']}\n"
TEN_MEGABYTES = 10 * 1024 * 1024


@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_arrives_as_it_was_sent(
    localstack: LocalStack, function: Callable[..., Function], media_type: str
) -> None:
    """The function gets the bytes that were sent, whatever their media type.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    api = create_api(localstack, {"/ POST": lambda_integration(function(SOURCE))})
    sent = json.dumps({"a": "1 & 2 = 3; +%41"}).encode()
    request = urllib.request.Request(
        f"{localstack.url}/restapis/{api.id}/s/_user_request_/",
        sent,
        {"Content-Type": media_type},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.read() == sent


def test_a_body_of_10_mb_is_accepted_and_one_byte_more_is_refused(localstack: LocalStack) -> None:
    """A body over 10 MB gets a 413 and does not reach the integration.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
    """
    api = create_api(localstack, {"/ POST": {}})
    assert api.request(method="POST", body=b"a" * TEN_MEGABYTES).status == 200
    refused = api.request(method="POST", body=b"a" * (TEN_MEGABYTES + 1))
    assert (refused.status, refused.message) == (413, "Request Too Long")
    assert refused.headers["x-amzn-errortype"] == "RequestTooLargeException"


def test_the_response_to_a_long_body_can_be_customised(localstack: LocalStack) -> None:
    """The API's own gateway response `REQUEST_TOO_LARGE` is used.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    api = create_api(localstack, {"/ POST": {}})
    localstack.client("apigateway").put_gateway_response(
        restApiId=api.id, responseType="REQUEST_TOO_LARGE", statusCode="400"
    )
    api.deploy()
    assert api.request(method="POST", body=b"a" * (TEN_MEGABYTES + 1)).status == 400

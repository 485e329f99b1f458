"""What API Gateway hands to a function."""

import json
import urllib.request
from collections.abc import Callable

import pytest
from conftest import Function, LocalStack

SOURCE = "def handler(event, context):\n    return {'statusCode': 200, 'body': event['body']}\n"


@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_arrives_as_it_was_sent(
    localstack: LocalStack, function: Callable[..., Function], media_type: str
) -> None:
    """Whatever a body is labelled as, the function gets the bytes that were sent.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    made = function(SOURCE)
    gateway = localstack.client("apigateway")
    api = gateway.create_rest_api(name=made.name)
    where = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "POST"}
    gateway.put_method(**where, authorizationType="NONE")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{made.name}"
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    gateway.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api["id"], stageName="s")
    sent = json.dumps({"a": "1 & 2 = 3; +%41"}).encode()
    request = urllib.request.Request(
        f"{localstack.url}/restapis/{api['id']}/s/_user_request_/",
        sent,
        {"Content-Type": media_type},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.read() == sent

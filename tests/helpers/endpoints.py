"""Endpoints that predict, over a fake bucket, and requests to them."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from sklearn_api import current
from sklearn_api.prediction import prediction_endpoint
from tests.helpers.events import read_event
from tests.helpers.fakes import FakeS3, pointer_to

MAX_BODY, MAX_INSTANCES = 1000, 10

Handler = Callable[..., dict[str, Any]]


class Context:
    """What a Lambda knows about an invocation."""

    aws_request_id = "lambda-id"


def make_handler(
    s3: FakeS3,
    *,
    max_body: int = MAX_BODY,
    max_instances: int = MAX_INSTANCES,
    **declared: Any,
) -> Handler:
    """Return the handler of a declaration, over a fake bucket."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_BUCKET", "bucket")
        patch.setenv("MODEL_NAME", "review")
        patch.setenv("MAX_BODY_BYTES", str(max_body))
        patch.setenv("MAX_INSTANCES", str(max_instances))
        patch.setenv("MODEL_REFRESH_SECONDS", "0")
        # The client is created at the cold start; a declaration allows no other way to a fake.
        patch.setattr(current, "create_reader", lambda *_: s3)
        return prediction_endpoint(**declared)


def publish(artifact: bytes) -> FakeS3:
    """Return a bucket with a version of the model."""
    s3 = FakeS3()
    s3.serve(pointer_to(artifact), artifact)
    return s3


def event(body: object, **headers: str) -> dict[str, Any]:
    """Return the event for a request with this JSON body."""
    content = base64.b64encode(json.dumps(body).encode()).decode()
    return {**read_event("review", **headers), "body": content}


def answer(handler: Handler, body: object) -> Any:
    """Return what a handler answers, which has to be 200 and JSON."""
    found = handler(event(body), Context())
    assert found["statusCode"] == 200, found
    assert found["headers"]["Content-Type"] == "application/json"
    return json.loads(found["body"])

"""POST /churn on a deployed stack, with the model `churn`."""

import pytest

from tests.integration.deployed import Endpoint, Serve


@pytest.fixture
def endpoint(serve: Serve) -> Endpoint:
    """The deployed endpoint. Without a model in .local/model/churn, these tests are skipped."""
    return serve("churn", "/churn")


def test_a_key_is_required(endpoint: Endpoint) -> None:
    """A request without an API key gets 403."""
    assert endpoint.post(endpoint.example, key=None).status == 403


def test_an_instance_is_answered(endpoint: Endpoint) -> None:
    """The example in the model's signature is answered, with the model that answered it."""
    answer = endpoint.post(endpoint.example)
    assert answer.status == 200, answer.text
    assert answer.json()["model"]["name"] == "churn"
    assert answer.json()["prediction"] is not None


def test_an_unknown_field_is_refused(endpoint: Endpoint) -> None:
    """A field that is not an input of the model gets 400, not a prediction without it."""
    answer = endpoint.post({**endpoint.example, "not an input": 1})
    assert answer.status == 400, answer.text

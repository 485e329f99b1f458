"""Fixtures of the API Gateway tests."""

import pytest
from apigateway.plans import METHODS
from conftest import Api, LocalStack, create_api


@pytest.fixture(scope="session")
def api(localstack: LocalStack) -> Api:
    """An API whose methods all require a key; each test creates its own plan."""
    return create_api(localstack, METHODS, apiKeyRequired=True)

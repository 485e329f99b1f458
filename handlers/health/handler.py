"""GET /health: whether the API answers, and with which model."""

from sklearn_api.health import health_endpoint

handler = health_endpoint()

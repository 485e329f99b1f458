"""GET /health: reports whether the API is up, and which model it serves."""

from sklearn_api.health import health_endpoint

handler = health_endpoint()

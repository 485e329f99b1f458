"""Usage plans for the tests to create, change and read."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from conftest import Answer, Api

NO_REFILL = {"rateLimit": 0.001}  # no token returns while a test runs
METHODS: Mapping[str, Any] = {"/ GET": {}, "/pets GET": {}, "/pets POST": {}}


@dataclass
class Plan:
    """A usage plan of an API, and its keys."""

    api: Api
    id: str

    @property
    def gateway(self) -> Any:
        return self.api.localstack.client("apigateway")

    def add_key(self) -> tuple[str, str]:
        """Return the id and the value of a new key."""
        key = self.gateway.create_api_key(name=f"k-{uuid.uuid4().hex[:8]}", enabled=True)
        self.gateway.create_usage_plan_key(usagePlanId=self.id, keyId=key["id"], keyType="API_KEY")
        return key["id"], key["value"]

    def patch(self, op: str, path: str, value: str | None = None) -> dict[str, Any]:
        operation = {"op": op, "path": path, **({} if value is None else {"value": value})}
        return dict(
            self.gateway.update_usage_plan(usagePlanId=self.id, patchOperations=[operation])
        )

    def usage(self, start: str, end: str, **which: str) -> dict[str, list[list[int]]]:
        answer = self.gateway.get_usage(usagePlanId=self.id, startDate=start, endDate=end, **which)
        assert (answer["usagePlanId"], answer["startDate"], answer["endDate"]) == (
            self.id,
            start,
            end,
        )
        return dict(answer["items"])


def create_plan(api: Api, methods: Mapping[str, Any] | None = None, **limits: Any) -> Plan:
    """Create a plan for an API's stage; `methods` are the limits of single methods."""
    stage = {"apiId": api.id, "stage": api.stage, **({"throttle": methods} if methods else {})}
    made = api.localstack.client("apigateway").create_usage_plan(
        name=f"p-{uuid.uuid4().hex[:8]}", apiStages=[stage], **limits
    )
    return Plan(api, made["id"])


def statuses(send: Callable[[], Answer], times: int) -> list[int]:
    return [send().status for _ in range(times)]


def today() -> str:
    return datetime.now(UTC).date().isoformat()

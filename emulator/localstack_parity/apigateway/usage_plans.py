"""Enforce limits on requests to REST APIs: first the key's usage plan, then the stage's limits.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

import threading
import time
from collections.abc import Hashable
from datetime import UTC, date, datetime
from typing import Any

from localstack.services.apigateway.next_gen.execute_api import handlers
from localstack.services.apigateway.next_gen.execute_api.gateway_response import ThrottledError
from moto.apigateway.models import (
    APIGatewayBackend,
    UsagePlan,
    UsagePlanKey,
    apigateway_backends,
)
from rolo.gateway import CompositeHandler

from localstack_parity.apigateway.quota import Quota
from localstack_parity.apigateway.throttle import Buckets, Throttle, setting_of_method
from localstack_parity.apigateway.usage import UsageRecords

records = UsageRecords()


def enforce_after_key_validation() -> None:
    """Run `enforce` on every request, right after its API key has been validated."""
    both = CompositeHandler()
    both.append(handlers.api_key_validation_handler)
    both.append(enforce)
    handlers.api_key_validation_handler = both  # type: ignore[assignment]  # any handler fits


def enforce(chain: Any, context: Any, response: Any) -> None:
    """Enforce the limits of the key's usage plan, and of the stage, on a request.

    Parameters
    ----------
    context : RestApiInvocationContext
        Annotated as Any because the class declares every field optional; here all are set.

    Raises
    ------
    QuotaExceededError, ThrottledError
        The gateway responses ``QUOTA_EXCEEDED`` and ``THROTTLED``, with status 429.
    """
    now = time.monotonic()
    backend = apigateway_backends[context.account_id][context.region]
    if context.resource_method.get("apiKeyRequired"):
        _enforce_plan(backend, context, now)
    if settings := context.stage_configuration.get("methodSettings"):
        _stages.enforce(backend, context, settings, now)


def today() -> date:
    """Return the day that quotas are counted for: today, in UTC."""
    return datetime.now(UTC).date()


def _enforce_plan(backend: APIGatewayBackend, context: Any, now: float) -> None:
    found = _plan_of(
        backend, context.api_id, context.stage, context.context_variables["identity"]["apiKeyId"]
    )
    if found is None:  # the key left the plan after it was validated
        return
    plan, stage, key = found
    throttles: dict[Hashable, Throttle] = {}
    if of_plan := _throttle(plan.throttle):
        throttles["plan"] = of_plan
    # A method's own limit does not lift the plan's: https://repost.aws/questions/QUFD1EPj5dRYaYaqpNepE34A
    if of_methods := stage.get("throttle"):
        path, method = _route(context)
        if own := _throttle(setting_of_method(of_methods, path, method)):
            throttles[(context.api_id, context.stage, path, method)] = own
    day = today()
    records.of(backend, plan, key, day).admit(throttles, Quota.of(plan.quota), now, day)


def _plan_of(
    backend: APIGatewayBackend, api_id: str, stage: str, key_id: str
) -> tuple[UsagePlan, dict[str, Any], UsagePlanKey] | None:
    # A key belongs to at most one plan per stage:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    for plan in list(backend.usage_plans.values()):
        key = backend.usage_plan_keys.get(plan.id, {}).get(key_id)
        if key is not None:
            for entry in plan.api_stages:
                if entry.get("apiId") == api_id and entry.get("stage") == stage:
                    return plan, entry, key
    return None


class _StageThrottles:
    """The token buckets of stages: one per method, shared by all clients.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str, str, str], Buckets] = {}

    def enforce(
        self,
        backend: APIGatewayBackend,
        context: Any,
        settings: Any,
        now: float,
    ) -> None:
        path, method = _route(context)
        setting = setting_of_method(settings, path, method) or settings.get("*/*") or {}
        throttle = Throttle.of(
            setting.get("throttlingRateLimit"), setting.get("throttlingBurstLimit")
        )
        if throttle is None:
            return
        where = (backend.account_id, backend.region_name, context.api_id, context.stage)
        buckets = self._buckets.get(where) or self._add(where)
        if not buckets.take({(path, method): throttle}, now):
            raise ThrottledError("Too Many Requests")

    def _add(self, where: tuple[str, str, str, str]) -> Buckets:
        with self._lock:
            kept = {k: v for k, v in self._buckets.items() if _stage_exists(k)}
            buckets = kept.setdefault(where, Buckets())
            self._buckets = kept
            return buckets


_stages = _StageThrottles()


def _stage_exists(where: tuple[str, str, str, str]) -> bool:
    account, region, api_id, stage = where
    api = apigateway_backends[account][region].apis.get(api_id)
    return api is not None and stage in api.stages


def _throttle(settings: Any) -> Throttle | None:
    settings = settings or {}
    return Throttle.of(settings.get("rateLimit"), settings.get("burstLimit"))


def _route(context: Any) -> tuple[str, str]:
    """Return the resource's path and the method, as the API defines them."""
    return context.resource["path"], context.resource_method["httpMethod"]

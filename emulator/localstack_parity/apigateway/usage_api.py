"""``GetUsage`` and ``UpdateUsage``, which neither LocalStack nor moto implements."""

from datetime import date
from typing import Any

from localstack.aws.api import RequestContext, handler
from localstack.aws.api.apigateway import (
    ApigatewayApi,
    BadRequestException,
    NotFoundException,
    Usage,
)
from moto.apigateway.models import (
    APIGatewayBackend,
    UsagePlan,
    UsagePlanKey,
    apigateway_backends,
)

from localstack_parity.apigateway.quota import Quota
from localstack_parity.apigateway.usage import HISTORY_DAYS
from localstack_parity.apigateway.usage_plans import records, today


def serve_usage() -> None:
    """Add ``GetUsage`` and ``UpdateUsage`` to the base class of LocalStack's provider."""
    ApigatewayApi.get_usage = get_usage  # type: ignore[method-assign, assignment]  # a patch
    ApigatewayApi.update_usage = update_usage  # type: ignore[method-assign, assignment]  # a patch


@handler("GetUsage")
def get_usage(
    self: ApigatewayApi,
    context: RequestContext,
    usage_plan_id: str,
    start_date: str,
    end_date: str,
    key_id: str | None = None,
    **kwargs: Any,
) -> Usage:
    """Return the daily usage of all keys of a plan, or of one key, in a single page.

    https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html
    """
    backend, plan = _plan(context, usage_plan_id)
    start, end = _date(start_date), _date(end_date)
    if start > end:
        raise BadRequestException(f"startDate {start_date} is after endDate {end_date}")
    if (end - start).days >= HISTORY_DAYS:
        raise BadRequestException(
            f"{start_date} to {end_date} is too long: usage is kept for {HISTORY_DAYS} days"
        )
    members = dict(backend.usage_plan_keys.get(plan.id, {}))
    keys = list(members.values()) if key_id is None else [_key(members, key_id)]
    return _usage(backend, plan, keys, start, end)


@handler("UpdateUsage")
def update_usage(
    self: ApigatewayApi,
    context: RequestContext,
    usage_plan_id: str,
    key_id: str,
    patch_operations: list[dict[str, Any]] | None = None,
    **kwargs: Any,
) -> Usage:
    """Set what remains of a key's quota in this period; return the usage of the period so far.

    https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateUsage.html
    """
    backend, plan = _plan(context, usage_plan_id)
    key = _key(backend.usage_plan_keys.get(plan.id, {}), key_id)
    quota = Quota.of(plan.quota)
    if quota is None:
        raise BadRequestException(f"Usage plan {usage_plan_id} has no quota")
    day = today()
    for operation in patch_operations or []:
        if (operation.get("op"), operation.get("path")) != ("replace", "/remaining"):
            raise BadRequestException("Invalid patch operation: use replace on /remaining")
        value = operation.get("value") or ""
        if not value.isdecimal():
            raise BadRequestException(f"Invalid number of remaining requests: {value!r}")
        records.of(backend, plan, key, day).set_remaining(quota, int(value), day)
    return _usage(backend, plan, [key], quota.start(day), day)


def _usage(
    backend: APIGatewayBackend, plan: UsagePlan, keys: list[UsagePlanKey], start: date, end: date
) -> Usage:
    quota, day = Quota.of(plan.quota), today()
    return Usage(
        usagePlanId=plan.id,
        startDate=start.isoformat(),
        endDate=end.isoformat(),
        items={key.id: records.of(backend, plan, key, day).log(quota, start, end) for key in keys},
    )


def _plan(context: RequestContext, plan_id: str) -> tuple[APIGatewayBackend, UsagePlan]:
    backend = apigateway_backends[context.account_id][context.region]
    try:
        return backend, backend.usage_plans[plan_id]
    except KeyError:
        raise NotFoundException("Invalid Usage Plan ID specified") from None


def _key(members: dict[str, UsagePlanKey], key_id: str) -> UsagePlanKey:
    try:
        return members[key_id]
    except KeyError:
        raise NotFoundException("Invalid API Key identifier specified") from None


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadRequestException(f"Invalid date {text!r}: use the form 2026-01-31") from None

"""Quotas and the usage of them, with the date set by the tests."""

from datetime import date

import pytest
from localstack.services.apigateway.next_gen.execute_api.gateway_response import (
    QuotaExceededError,
    ThrottledError,
)
from localstack_parity.apigateway.quota import Quota
from localstack_parity.apigateway.throttle import Throttle
from localstack_parity.apigateway.usage import HISTORY_DAYS, KeyUsage, UsageRecords
from moto.apigateway.models import APIGatewayBackend, UsagePlan, apigateway_backends

LONG_AGO = date(2020, 1, 1)
FRIDAY, SATURDAY, SUNDAY = date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 1)


def passed(usage: KeyUsage, quota: Quota | None, day: date, times: int) -> int:
    """Send that many requests; return how many the quota lets pass."""
    count = 0
    for _ in range(times):
        try:
            usage.admit({}, quota, 0.0, day)
        except QuotaExceededError:
            continue
        count += 1
    return count


@pytest.mark.parametrize(
    ("period", "day", "start"),
    [
        ("DAY", SATURDAY, SATURDAY),
        ("WEEK", SATURDAY, date(2026, 1, 25)),
        ("WEEK", SUNDAY, SUNDAY),
        ("MONTH", SATURDAY, date(2026, 1, 1)),
        ("MONTH", SUNDAY, SUNDAY),
    ],
)
def test_periods_follow_the_calendar(period: str, day: date, start: date) -> None:
    """Periods are days, weeks from Sunday, and calendar months."""
    assert Quota(1, period).start(day) == start


@pytest.mark.parametrize("period", ["DAY", "WEEK", "MONTH"])
def test_a_new_period_restores_the_whole_quota(period: str) -> None:
    """Once a quota is used up, nothing passes until the next period starts."""
    usage, quota = KeyUsage(LONG_AGO), Quota(3, period)
    assert passed(usage, quota, SATURDAY, times=5) == 3
    assert passed(usage, quota, SUNDAY, times=5) == 3
    assert passed(usage, quota, SUNDAY, times=5) == 0


@pytest.mark.parametrize("period", ["WEEK", "MONTH"])
def test_the_days_of_a_period_share_its_quota(period: str) -> None:
    """What was used yesterday is no longer available today."""
    usage, quota = KeyUsage(LONG_AGO), Quota(3, period)
    assert passed(usage, quota, FRIDAY, times=2) == 2
    assert passed(usage, quota, SATURDAY, times=2) == 1


def test_an_offset_reduces_only_the_first_period() -> None:
    """The offset is subtracted from the limit in the plan's first period.

    https://docs.aws.amazon.com/apigateway/latest/api/API_QuotaSettings.html
    """
    usage, quota = KeyUsage(first_day=FRIDAY), Quota(3, "MONTH", offset=2)
    assert passed(usage, quota, SATURDAY, times=5) == 1
    assert passed(usage, quota, SUNDAY, times=5) == 3


def test_a_refused_request_is_not_counted() -> None:
    """Requests that are throttled or over the quota do not count as usage."""
    usage, quota = KeyUsage(LONG_AGO), Quota(3, "DAY")
    throttles = {"plan": Throttle(rate=1, burst=1)}
    usage.admit(throttles, quota, 0.0, SATURDAY)
    with pytest.raises(ThrottledError):
        usage.admit(throttles, quota, 0.0, SATURDAY)
    assert usage.log(quota, SATURDAY, SATURDAY) == [[1, 2]]
    assert passed(usage, quota, SATURDAY, times=5) == 2
    assert usage.log(quota, SATURDAY, SATURDAY) == [[3, 0]]


def test_an_exhausted_quota_is_reported_before_the_rate() -> None:
    """A client without quota gets that error, not the one that suggests to retry in a moment."""
    usage, quota = KeyUsage(LONG_AGO), Quota(1, "DAY")
    throttles = {"plan": Throttle(rate=1, burst=1)}
    usage.admit(throttles, quota, 0.0, SATURDAY)
    with pytest.raises(QuotaExceededError):
        usage.admit(throttles, quota, 0.0, SATURDAY)


def test_the_log_has_a_line_for_every_day() -> None:
    """The log has the used and remaining requests of each day, including days without requests.

    https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html
    """
    usage, quota = KeyUsage(LONG_AGO), Quota(10, "MONTH")
    passed(usage, quota, date(2026, 1, 28), times=4)
    passed(usage, quota, FRIDAY, times=3)
    assert usage.log(quota, date(2026, 1, 27), SUNDAY) == [
        [0, 10],
        [4, 6],
        [0, 6],
        [3, 3],
        [0, 3],
        [0, 10],
    ]


def test_a_granted_extension_ends_with_the_period() -> None:
    """What remains can be set; earlier days and the next period do not change.

    https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateUsage.html
    """
    usage, quota = KeyUsage(LONG_AGO), Quota(3, "MONTH")
    passed(usage, quota, FRIDAY, times=3)
    usage.set_remaining(quota, 7, SATURDAY)
    assert usage.log(quota, FRIDAY, SUNDAY) == [[3, 0], [0, 7], [0, 3]]
    assert passed(usage, quota, SATURDAY, times=9) == 7


def test_usage_is_counted_without_a_quota() -> None:
    """A plan without a quota limits nothing, and still records what was used."""
    usage = KeyUsage(LONG_AGO)
    assert passed(usage, None, SATURDAY, times=50) == 50
    assert usage.log(None, SATURDAY, SATURDAY) == [[50, 0]]


def test_old_days_are_forgotten() -> None:
    """A key's record does not grow over the years."""
    usage, quota = KeyUsage(LONG_AGO), Quota(5, "DAY")
    usage.admit({}, quota, 0.0, LONG_AGO)
    usage.admit({}, quota, 0.0, date.fromordinal(LONG_AGO.toordinal() + HISTORY_DAYS + 1))
    assert usage.log(quota, LONG_AGO, LONG_AGO) == [[0, 5]]


@pytest.mark.parametrize(
    "settings", [None, {}, {"limit": None, "period": "DAY"}, {"limit": 5}, {"period": "DAY"}]
)
def test_an_incomplete_quota_limits_nothing(settings: dict[str, object] | None) -> None:
    """Without both a limit and a period, a plan has no quota."""
    assert Quota.of(settings) is None


def plan_with_keys(backend: APIGatewayBackend, keys: int) -> UsagePlan:
    plan = backend.create_usage_plan({"name": "p"})
    for _ in range(keys):
        key = backend.create_api_key({"name": "k"})
        backend.create_usage_plan_key(plan.id, {"keyId": key.id, "keyType": "API_KEY"})
    return plan


def touch(records: UsageRecords, backend: APIGatewayBackend, plan: UsagePlan) -> None:
    for key in backend.usage_plan_keys[plan.id].values():
        records.of(backend, plan, key, SUNDAY)


def test_deleted_plans_and_keys_are_forgotten() -> None:
    """Creating and deleting plans and keys does not make the records grow."""
    backend, records = apigateway_backends["111111111111"]["us-east-1"], UsageRecords()
    for _ in range(20):
        plan = plan_with_keys(backend, keys=3)
        touch(records, backend, plan)
        backend.delete_usage_plan(plan.id)
    assert len(records) <= 2 * 3
    plan = plan_with_keys(backend, keys=1)
    for _ in range(20):
        touch(records, backend, plan)
        backend.delete_usage_plan_key(plan.id, next(iter(backend.usage_plan_keys[plan.id])))
        key = backend.create_api_key({"name": "k"})
        backend.create_usage_plan_key(plan.id, {"keyId": key.id, "keyType": "API_KEY"})
    assert len(records) <= 2


def test_accounts_and_regions_have_separate_usage() -> None:
    """A plan's usage belongs to its account and region, even if ids are the same."""
    records, used = UsageRecords(), []
    for account, region in [
        ("1" * 12, "us-east-1"),
        ("2" * 12, "us-east-1"),
        ("1" * 12, "eu-west-1"),
    ]:
        backend = apigateway_backends[account][region]
        plan = plan_with_keys(backend, keys=1)
        plan.id = "same"
        backend.usage_plans["same"] = plan
        key = backend.create_api_key({"name": "k"})
        backend.create_usage_plan_key("same", {"keyId": key.id, "keyType": "API_KEY"})
        used.append(records.of(backend, plan, backend.usage_plan_keys["same"][key.id], SUNDAY))
    assert len({id(usage) for usage in used}) == 3
    assert len(records) == 3

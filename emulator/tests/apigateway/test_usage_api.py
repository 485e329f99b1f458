"""``GetUsage`` and ``UpdateUsage``."""

from datetime import UTC, datetime, timedelta

import pytest
from apigateway.plans import create_plan, statuses, today
from botocore.exceptions import ClientError
from conftest import Api


def test_usage_has_a_line_for_every_day(api: Api) -> None:
    """`get-usage` lists used and remaining requests of each day, for one key or for all.

    https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html
    """
    plan = create_plan(api, quota={"limit": 10, "period": "DAY"})
    (busy, key), (idle, _) = plan.add_key(), plan.add_key()
    statuses(lambda: api.request(key=key), 4)
    now = datetime.now(UTC).date()
    start, end = (now - timedelta(days=2)).isoformat(), (now + timedelta(days=1)).isoformat()
    days = [[0, 10], [0, 10], [4, 6], [0, 10]]
    assert plan.usage(start, end, keyId=busy) == {busy: days}
    assert plan.usage(start, end) == {busy: days, idle: [[0, 10]] * 4}


def test_a_quota_can_be_extended_for_one_key(api: Api) -> None:
    """`update-usage` sets what remains, for this key and this period.

    https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateUsage.html
    """
    plan = create_plan(api, quota={"limit": 1, "period": "DAY"})
    (key_id, key), (_, other) = plan.add_key(), plan.add_key()
    assert statuses(lambda: api.request(key=key), 2) == [200, 429]
    answer = plan.gateway.update_usage(
        usagePlanId=plan.id,
        keyId=key_id,
        patchOperations=[{"op": "replace", "path": "/remaining", "value": "2"}],
    )
    assert answer["items"] == {key_id: [[1, 2]]}
    assert statuses(lambda: api.request(key=key), 3) == [200, 200, 429]
    assert statuses(lambda: api.request(key=other), 2) == [200, 429]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"usagePlanId": "none"}, "NotFoundException"),
        ({"keyId": "none"}, "NotFoundException"),
        ({"startDate": "today"}, "BadRequestException"),
        ({"startDate": "2026-02-02", "endDate": "2026-02-01"}, "BadRequestException"),
        ({"startDate": "0001-01-01", "endDate": "9999-12-31"}, "BadRequestException"),
    ],
)
def test_unknown_plans_and_keys_and_invalid_dates_are_errors(
    api: Api, change: dict[str, str], code: str
) -> None:
    """Unknown plans and keys, and invalid dates, raise AWS's errors.

    https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html
    """
    plan = create_plan(api)
    question = {"usagePlanId": plan.id, "startDate": today(), "endDate": today(), **change}
    with pytest.raises(ClientError) as refused:
        plan.gateway.get_usage(**question)
    assert refused.value.response["Error"]["Code"] == code

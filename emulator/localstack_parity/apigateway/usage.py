"""How much each API key has used of each usage plan; LocalStack does not record it."""

import threading
from collections.abc import Hashable, Mapping
from datetime import date, timedelta

from localstack.services.apigateway.next_gen.execute_api.gateway_response import (
    QuotaExceededError,
    ThrottledError,
)
from moto.apigateway.models import (
    APIGatewayBackend,
    UsagePlan,
    UsagePlanKey,
    apigateway_backends,
)

from localstack_parity.apigateway.quota import Quota
from localstack_parity.apigateway.throttle import Buckets, Throttle

HISTORY_DAYS = 366
"""How many days of a key's usage are kept."""


class KeyUsage:
    """How much one key has used of one plan. Thread-safe.

    Parameters
    ----------
    first_day : date
        The plan's first day.
    """

    def __init__(self, first_day: date) -> None:
        self._first_day = first_day
        self._lock = threading.Lock()
        self._buckets = Buckets()
        self._used: dict[date, int] = {}
        self._granted: dict[date, int] = {}  # requests added by `set_remaining`, by day

    def admit(
        self, throttles: Mapping[Hashable, Throttle], quota: Quota | None, now: float, today: date
    ) -> None:
        """Count a request if the limits allow it. A refused request is not counted.

        Parameters
        ----------
        throttles : mapping
            The limits that apply to this request, by the name of their bucket.
        quota : Quota or None
            The plan's quota, if it has one.
        now : float
            Seconds of a monotonic clock.
        today : date
            The current day, in UTC.

        Raises
        ------
        QuotaExceededError, ThrottledError
            With status 429 and AWS's message for each; the quota is checked first.
        """
        with self._lock:
            if quota and self._remaining(quota, today) <= 0:
                raise QuotaExceededError("Limit Exceeded")
            if throttles and not self._buckets.take(throttles, now):
                raise ThrottledError("Too Many Requests")
            if today not in self._used:
                self._used[today] = 0
                oldest = today - timedelta(days=HISTORY_DAYS)
                for days in (self._used, self._granted):
                    for day in [day for day in days if day < oldest]:
                        del days[day]
            self._used[today] += 1

    def log(self, quota: Quota | None, start: date, end: date) -> list[list[int]]:
        """Return the used and remaining requests of each day from `start` to `end`, inclusive.

        Without a quota, the number of remaining requests is 0.
        """
        days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
        with self._lock:
            return [
                [self._used.get(day, 0), max(0, self._remaining(quota, day)) if quota else 0]
                for day in days
            ]

    def set_remaining(self, quota: Quota, remaining: int, today: date) -> None:
        """Set the number of requests that remain from now to the end of the period."""
        with self._lock:
            granted = remaining - self._remaining(quota, today)
            self._granted[today] = self._granted.get(today, 0) + granted

    def _remaining(self, quota: Quota, day: date) -> int:
        start = quota.start(day)
        remaining = quota.allowance(day, self._first_day)
        remaining += sum(n for when, n in self._granted.items() if start <= when <= day)
        return remaining - sum(n for when, n in self._used.items() if start <= when <= day)


class UsageRecords:
    """The usage of every plan and key, in every account and region. Thread-safe.

    Creating a record drops those of deleted plans and keys, so there are never more records than
    there were plans and keys at one time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plans: dict[tuple[str, str, str], _PlanRecord] = {}

    def of(
        self, backend: APIGatewayBackend, plan: UsagePlan, key: UsagePlanKey, today: date
    ) -> KeyUsage:
        """Return the usage of a key in a plan; create its record if it has none.

        A plan or key that was deleted and created anew with the same id starts from zero.
        """
        where = (backend.account_id, backend.region_name, plan.id)
        with self._lock:
            record = self._plans.get(where)
            if record is None or record.plan is not plan:
                self._plans = {k: v for k, v in self._plans.items() if _exists(k, v.plan)}
                record = self._plans[where] = _PlanRecord(plan, today)
            return record.of(key, backend.usage_plan_keys.get(plan.id, {}))

    def __len__(self) -> int:
        with self._lock:
            return sum(len(record.keys) for record in self._plans.values())


class _PlanRecord:
    def __init__(self, plan: UsagePlan, first_day: date) -> None:
        self.plan = plan
        self.first_day = first_day
        self.keys: dict[str, tuple[UsagePlanKey, KeyUsage]] = {}

    def of(self, key: UsagePlanKey, members: Mapping[str, UsagePlanKey]) -> KeyUsage:
        known, usage = self.keys.get(key.id, (None, None))
        if usage is None or known is not key:
            self.keys = {k: v for k, v in self.keys.items() if members.get(k) is v[0]}
            usage = KeyUsage(self.first_day)
            self.keys[key.id] = (key, usage)
        return usage


def _exists(where: tuple[str, str, str], plan: UsagePlan) -> bool:
    account, region, plan_id = where
    return apigateway_backends[account][region].usage_plans.get(plan_id) is plan

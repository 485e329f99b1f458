"""Usage plans, as the clients of a REST API meet them."""

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Answer, Api, LocalStack, create_api, wait_for

NEVER = {"rateLimit": 0.001}  # tokens that come back: none while a test runs
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
    """Make a plan for an API's stage; `methods` are limits of methods."""
    stage = {"apiId": api.id, "stage": api.stage, **({"throttle": methods} if methods else {})}
    made = api.localstack.client("apigateway").create_usage_plan(
        name=f"p-{uuid.uuid4().hex[:8]}", apiStages=[stage], **limits
    )
    return Plan(api, made["id"])


@pytest.fixture(scope="module")
def api(localstack: LocalStack) -> Api:
    """An API whose methods all want a key. Its plans are the tests' own."""
    return create_api(localstack, METHODS, apiKeyRequired=True)


def statuses(send: Callable[[], Answer], times: int) -> list[int]:
    return [send().status for _ in range(times)]


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def test_a_burst_over_the_limit_is_throttled(api: Api) -> None:
    """When the bucket is empty, clients get AWS's 429.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
    """
    _, key = create_plan(api, throttle={**NEVER, "burstLimit": 3}).add_key()
    assert statuses(lambda: api.request(key=key), 4) == [200, 200, 200, 429]
    refused = api.request(key=key)
    assert refused.message == "Too Many Requests"
    assert refused.headers["x-amzn-errortype"] == "TooManyRequestsException"
    assert refused.headers["content-type"] == "application/json"


def test_requests_pass_again_at_the_rate(api: Api) -> None:
    """The bucket fills while the client waits."""
    _, key = create_plan(api, throttle={"rateLimit": 2.5, "burstLimit": 1}).add_key()
    wait_for(lambda: api.request(key=key).status == 429, 10, "throttled")
    wait_for(lambda: api.request(key=key).status == 200, 10, "let through again")


def test_requests_in_parallel_do_not_slip_through(api: Api) -> None:
    """As many requests pass as there are tokens, however many come at once."""
    _, key = create_plan(api, throttle={**NEVER, "burstLimit": 5}).add_key()
    seen: list[int] = []
    threads = [
        threading.Thread(target=lambda: seen.extend(statuses(lambda: api.request(key=key), 5)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (seen.count(200), seen.count(429)) == (5, 25)


def test_a_used_up_quota_is_refused(api: Api) -> None:
    """When the quota is used up, clients get AWS's other 429.

    https://repost.aws/knowledge-center/api-gateway-429-limit
    """
    _, key = create_plan(api, quota={"limit": 2, "period": "DAY"}).add_key()
    assert statuses(lambda: api.request(key=key), 3) == [200, 200, 429]
    refused = api.request(key=key)
    assert refused.message == "Limit Exceeded"
    assert refused.headers["x-amzn-errortype"] == "LimitExceededException"


def test_an_offset_is_subtracted_in_the_first_period(api: Api) -> None:
    """A plan's first period has that many requests less.

    https://docs.aws.amazon.com/apigateway/latest/api/API_QuotaSettings.html
    """
    _, key = create_plan(api, quota={"limit": 5, "offset": 3, "period": "MONTH"}).add_key()
    assert statuses(lambda: api.request(key=key), 3) == [200, 200, 429]


def test_keys_do_not_share_their_limits(api: Api) -> None:
    """Each key has the whole rate and the whole quota to itself.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """
    plan = create_plan(
        api, throttle={**NEVER, "burstLimit": 4}, quota={"limit": 2, "period": "WEEK"}
    )
    (first, one), (second, two) = plan.add_key(), plan.add_key()
    assert statuses(lambda: api.request(key=one), 3) == [200, 200, 429]
    assert statuses(lambda: api.request(key=two), 1) == [200]
    assert plan.usage(today(), today()) == {first: [[2, 0]], second: [[1, 1]]}


def test_a_plan_without_limits_limits_nothing(api: Api) -> None:
    """A plan may be there for its keys alone."""
    _, key = create_plan(api).add_key()
    assert set(statuses(lambda: api.request(key=key), 30)) == {200}


def test_a_limit_of_one_method_leaves_the_others_alone(api: Api) -> None:
    """A method's own limit holds for that method, and the plan's goes on holding for all.

    https://docs.aws.amazon.com/apigateway/latest/api/API_ApiStage.html,
    https://repost.aws/questions/QUFD1EPj5dRYaYaqpNepE34A
    """
    own = {"/pets/POST": {**NEVER, "burstLimit": 1}}
    _, key = create_plan(api, own, throttle={**NEVER, "burstLimit": 4}).add_key()
    assert statuses(lambda: api.request("/pets", key, "POST", b"{}"), 3) == [200, 429, 429]
    assert statuses(lambda: api.request("/pets", key), 2) == [200, 200]
    assert statuses(lambda: api.request("/", key), 2) == [200, 429]


def test_only_methods_that_want_a_key_are_metered(localstack: LocalStack) -> None:
    """Where no key is asked for, one that is sent does not count against its plan.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """
    api = create_api(localstack, {"/ GET": {}})
    plan = create_plan(
        api, throttle={**NEVER, "burstLimit": 1}, quota={"limit": 1, "period": "DAY"}
    )
    key_id, key = plan.add_key()
    assert set(statuses(lambda: api.request(key=key), 5)) == {200}
    assert plan.usage(today(), today()) == {key_id: [[0, 1]]}


def test_a_key_of_two_plans_is_held_to_the_one_of_the_stage(
    localstack: LocalStack, api: Api
) -> None:
    """A key may belong to plans of several APIs; each API counts in its own."""
    other = create_api(localstack, {"/ GET": {}}, apiKeyRequired=True)
    narrow = create_plan(api, quota={"limit": 1, "period": "DAY"})
    wide = create_plan(other, quota={"limit": 9, "period": "DAY"})
    key_id, key = narrow.add_key()
    wide.gateway.create_usage_plan_key(usagePlanId=wide.id, keyId=key_id, keyType="API_KEY")
    assert statuses(lambda: other.request(key=key), 3) == [200, 200, 200]
    assert statuses(lambda: api.request(key=key), 2) == [200, 429]
    assert narrow.usage(today(), today()) == {key_id: [[1, 0]]}
    assert wide.usage(today(), today()) == {key_id: [[3, 6]]}


def test_stages_of_one_plan_share_its_limits(localstack: LocalStack, api: Api) -> None:
    """A plan's limits are a key's in all, not for each API.

    https://repost.aws/questions/QUFD1EPj5dRYaYaqpNepE34A
    """
    other = create_api(localstack, {"/ GET": {}}, apiKeyRequired=True)
    plan = create_plan(api, quota={"limit": 2, "period": "DAY"})
    plan.patch("add", "/apiStages", f"{other.id}:{other.stage}")
    _, key = plan.add_key()
    assert [a.request(key=key).status for a in (api, other, api)] == [200, 200, 429]


@pytest.mark.parametrize("key", [None, "no-such-key-in-any-plan"])
def test_a_request_without_a_valid_key_is_forbidden(api: Api, key: str | None) -> None:
    """A missing or unknown key is answered with 403, as ever."""
    create_plan(api, throttle={**NEVER, "burstLimit": 1})
    refused = api.request(key=key)
    assert (refused.status, refused.message) == (403, "Forbidden")


def test_a_disabled_key_is_forbidden_until_it_is_enabled(api: Api) -> None:
    """A key that is switched off is refused from the next request on, and counts nothing."""
    plan = create_plan(api, quota={"limit": 5, "period": "DAY"})
    key_id, key = plan.add_key()

    def enable(value: str) -> None:
        plan.gateway.update_api_key(
            apiKey=key_id,
            patchOperations=[{"op": "replace", "path": "/enabled", "value": value}],
        )

    assert api.request(key=key).status == 200
    enable("false")
    assert api.request(key=key).status == 403
    enable("true")
    assert api.request(key=key).status == 200
    assert plan.usage(today(), today()) == {key_id: [[2, 3]]}


def test_a_deleted_key_is_forbidden(api: Api) -> None:
    """A key that is gone is as unknown as any other."""
    plan = create_plan(api)
    key_id, key = plan.add_key()
    assert api.request(key=key).status == 200
    plan.gateway.delete_api_key(apiKey=key_id)
    assert api.request(key=key).status == 403
    assert plan.gateway.get_usage_plan_keys(usagePlanId=plan.id)["items"] == []


def test_a_changed_throttle_holds_for_the_next_request(api: Api) -> None:
    """Limits can be narrowed and lifted while the API runs.

    https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
    """
    plan = create_plan(api, throttle={"rateLimit": 1000, "burstLimit": 1000})
    _, key = plan.add_key()
    assert set(statuses(lambda: api.request(key=key), 5)) == {200}
    plan.patch("replace", "/throttle/rateLimit", "0.5")
    changed = plan.patch("replace", "/throttle/burstLimit", "0")
    assert changed["throttle"] == {"rateLimit": 0.5, "burstLimit": 0}
    assert api.request(key=key).status == 429
    plan.patch("remove", "/throttle")
    assert set(statuses(lambda: api.request(key=key), 5)) == {200}


def test_a_changed_quota_holds_for_the_next_request(api: Api) -> None:
    """What was used before the change goes on counting."""
    plan = create_plan(api)
    key_id, key = plan.add_key()
    assert api.request(key=key).status == 200
    plan.patch("add", "/quota/period", "MONTH")
    changed = plan.patch("add", "/quota/limit", "2")
    assert changed["quota"] == {"limit": 2, "period": "MONTH", "offset": 0}
    assert statuses(lambda: api.request(key=key), 2) == [200, 429]
    plan.patch("replace", "/quota/limit", "3")
    assert statuses(lambda: api.request(key=key), 2) == [200, 429]
    plan.patch("remove", "/quota")
    assert api.request(key=key).status == 200
    assert plan.usage(today(), today()) == {key_id: [[4, 0]]}


@pytest.mark.parametrize("method", ["/pets/GET", "~1pets/GET"])
def test_a_limit_of_one_method_can_be_changed(api: Api, method: str) -> None:
    """A method's limit comes, goes, and is shown with the plan.

    https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
    """
    plan = create_plan(api, throttle={"rateLimit": 1000, "burstLimit": 1000})
    _, key = plan.add_key()
    path = f"/apiStages/{api.id}:{api.stage}/throttle/{method}"
    plan.patch("replace", f"{path}/rateLimit", "0.001")
    changed = plan.patch("replace", f"{path}/burstLimit", "1")
    assert changed["apiStages"] == [
        {
            "apiId": api.id,
            "stage": api.stage,
            "throttle": {"/pets/GET": {"rateLimit": 0.001, "burstLimit": 1}},
        }
    ]
    assert statuses(lambda: api.request("/pets", key), 2) == [200, 429]
    plan.patch("remove", path)
    assert api.request("/pets", key).status == 200
    plan.patch("remove", "/apiStages", f"{api.id}:{api.stage}")
    assert api.request("/pets", key).status == 403


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/throttle/rateLimit", "fast"),
        ("/quota/limit", "1.5"),
        ("/quota/color", "1"),
        ("/apiStages/none:s/throttle/pets/GET/rateLimit", "1"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(api: Api, path: str, value: str) -> None:
    """A plan does not take what it cannot hold to, and says so."""
    plan = create_plan(api)
    with pytest.raises(ClientError) as refused:
        plan.patch("replace", path, value)
    assert refused.value.response["Error"]["Code"] == "BadRequestException"


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
def test_usage_of_what_is_not_there_is_an_error(
    api: Api, change: dict[str, str], code: str
) -> None:
    """Unknown plans and keys, and impossible dates, are named.

    https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html
    """
    plan = create_plan(api)
    question = {"usagePlanId": plan.id, "startDate": today(), "endDate": today(), **change}
    with pytest.raises(ClientError) as refused:
        plan.gateway.get_usage(**question)
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        ("THROTTLED", {"throttle": {**NEVER, "burstLimit": 0}}),
        ("QUOTA_EXCEEDED", {"quota": {"limit": 0, "period": "DAY"}}),
    ],
)
def test_the_answer_can_be_customised(
    localstack: LocalStack, kind: str, limits: dict[str, Any]
) -> None:
    """The API's own gateway response of that type is the one that is sent.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    api = create_api(localstack, {"/ GET": {}}, apiKeyRequired=True)
    _, key = create_plan(api, **limits).add_key()
    assert api.request(key=key).status == 429
    localstack.client("apigateway").put_gateway_response(
        restApiId=api.id, responseType=kind, statusCode="420"
    )
    api.deploy()
    assert api.request(key=key).status == 420


@pytest.mark.parametrize("setting", ["*/*", "~1pets/GET"])
def test_a_stage_throttles_all_clients_together(localstack: LocalStack, setting: str) -> None:
    """A stage's limit holds for each method, with a key or without, whoever calls.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
    """
    api = create_api(localstack, METHODS)
    plan = create_plan(api)
    _, key = plan.add_key()

    def set_limits(rate: str, burst: str) -> None:
        localstack.client("apigateway").update_stage(
            restApiId=api.id,
            stageName=api.stage,
            patchOperations=[
                {"op": "replace", "path": f"/{setting}/throttling/rateLimit", "value": rate},
                {"op": "replace", "path": f"/{setting}/throttling/burstLimit", "value": burst},
            ],
        )

    assert set(statuses(lambda: api.request("/pets"), 4)) == {200}
    set_limits("0.001", "2")
    assert [api.request("/pets", k).status for k in (key, None, None)] == [200, 200, 429]
    assert api.request("/pets").message == "Too Many Requests"
    assert statuses(lambda: api.request("/"), 2) == [200, 200]
    assert api.request("/").status == (429 if setting == "*/*" else 200)
    set_limits("-1", "-1")
    assert set(statuses(lambda: api.request("/pets"), 4)) == {200}

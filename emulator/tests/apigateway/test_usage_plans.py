"""Usage plans, as the clients of a REST API experience them."""

import threading
from typing import Any

import pytest
from apigateway.plans import METHODS, NO_REFILL, create_plan, statuses, today
from conftest import Api, LocalStack, create_api, wait_for


def test_a_burst_over_the_limit_is_throttled(api: Api) -> None:
    """When the bucket is empty, clients get AWS's 429.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
    """
    _, key = create_plan(api, throttle={**NO_REFILL, "burstLimit": 3}).add_key()
    assert statuses(lambda: api.request(key=key), 4) == [200, 200, 200, 429]
    refused = api.request(key=key)
    assert refused.message == "Too Many Requests"
    assert refused.headers["x-amzn-errortype"] == "TooManyRequestsException"
    assert refused.headers["content-type"] == "application/json"


def test_requests_pass_again_at_the_rate(api: Api) -> None:
    """The bucket refills while the client waits."""
    _, key = create_plan(api, throttle={"rateLimit": 2.5, "burstLimit": 1}).add_key()
    wait_for(lambda: api.request(key=key).status == 429, 10, "throttled")
    wait_for(lambda: api.request(key=key).status == 200, 10, "accepted again")


def test_concurrent_requests_do_not_slip_through(api: Api) -> None:
    """Only as many requests pass as there are tokens, however many arrive at once."""
    _, key = create_plan(api, throttle={**NO_REFILL, "burstLimit": 5}).add_key()
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


def test_requests_over_the_quota_are_refused(api: Api) -> None:
    """When the quota is used up, clients get AWS's other 429.

    https://repost.aws/knowledge-center/api-gateway-429-limit
    """
    _, key = create_plan(api, quota={"limit": 2, "period": "DAY"}).add_key()
    assert statuses(lambda: api.request(key=key), 3) == [200, 200, 429]
    refused = api.request(key=key)
    assert refused.message == "Limit Exceeded"
    assert refused.headers["x-amzn-errortype"] == "LimitExceededException"


def test_an_offset_is_subtracted_in_the_first_period(api: Api) -> None:
    """A plan's first period allows that many requests fewer.

    https://docs.aws.amazon.com/apigateway/latest/api/API_QuotaSettings.html
    """
    _, key = create_plan(api, quota={"limit": 5, "offset": 3, "period": "MONTH"}).add_key()
    assert statuses(lambda: api.request(key=key), 3) == [200, 200, 429]


def test_keys_do_not_share_their_limits(api: Api) -> None:
    """Each key has the whole rate and the whole quota to itself.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """
    plan = create_plan(
        api, throttle={**NO_REFILL, "burstLimit": 4}, quota={"limit": 2, "period": "WEEK"}
    )
    (first, one), (second, two) = plan.add_key(), plan.add_key()
    assert statuses(lambda: api.request(key=one), 3) == [200, 200, 429]
    assert statuses(lambda: api.request(key=two), 1) == [200]
    assert plan.usage(today(), today()) == {first: [[2, 0]], second: [[1, 1]]}


def test_a_plan_without_limits_limits_nothing(api: Api) -> None:
    """A plan may exist only for its keys."""
    _, key = create_plan(api).add_key()
    assert set(statuses(lambda: api.request(key=key), 30)) == {200}


def test_a_limit_of_one_method_leaves_the_others_alone(api: Api) -> None:
    """A method's own limit applies to that method, and the plan's limit still applies to all.

    https://docs.aws.amazon.com/apigateway/latest/api/API_ApiStage.html,
    https://repost.aws/questions/QUFD1EPj5dRYaYaqpNepE34A
    """
    own = {"/pets/POST": {**NO_REFILL, "burstLimit": 1}}
    _, key = create_plan(api, own, throttle={**NO_REFILL, "burstLimit": 4}).add_key()
    assert statuses(lambda: api.request("/pets", key, "POST", b"{}"), 3) == [200, 429, 429]
    assert statuses(lambda: api.request("/pets", key), 2) == [200, 200]
    assert statuses(lambda: api.request("/", key), 2) == [200, 429]


def test_only_methods_that_require_a_key_are_metered(localstack: LocalStack) -> None:
    """Where no key is required, a request with a key does not count against its plan.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """
    api = create_api(localstack, {"/ GET": {}})
    plan = create_plan(
        api, throttle={**NO_REFILL, "burstLimit": 1}, quota={"limit": 1, "period": "DAY"}
    )
    key_id, key = plan.add_key()
    assert set(statuses(lambda: api.request(key=key), 5)) == {200}
    assert plan.usage(today(), today()) == {key_id: [[0, 1]]}


def test_a_key_in_two_plans_uses_the_plan_of_the_stage(localstack: LocalStack, api: Api) -> None:
    """A key may belong to plans of several APIs; each API counts in its own plan."""
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
    """A plan's limits apply to all of its APIs together, not to each one.

    https://repost.aws/questions/QUFD1EPj5dRYaYaqpNepE34A
    """
    other = create_api(localstack, {"/ GET": {}}, apiKeyRequired=True)
    plan = create_plan(api, quota={"limit": 2, "period": "DAY"})
    plan.patch("add", "/apiStages", f"{other.id}:{other.stage}")
    _, key = plan.add_key()
    assert [a.request(key=key).status for a in (api, other, api)] == [200, 200, 429]


@pytest.mark.parametrize("key", [None, "no-such-key-in-any-plan"])
def test_a_request_without_a_valid_key_is_forbidden(api: Api, key: str | None) -> None:
    """A missing or unknown key gets a 403, as without the plugin."""
    create_plan(api, throttle={**NO_REFILL, "burstLimit": 1})
    refused = api.request(key=key)
    assert (refused.status, refused.message) == (403, "Forbidden")


def test_a_disabled_key_is_forbidden_until_it_is_enabled(api: Api) -> None:
    """A disabled key is refused from the next request on, and its requests do not count."""
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
    """A deleted key is treated like an unknown one."""
    plan = create_plan(api)
    key_id, key = plan.add_key()
    assert api.request(key=key).status == 200
    plan.gateway.delete_api_key(apiKey=key_id)
    assert api.request(key=key).status == 403
    assert plan.gateway.get_usage_plan_keys(usagePlanId=plan.id)["items"] == []


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        ("THROTTLED", {"throttle": {**NO_REFILL, "burstLimit": 0}}),
        ("QUOTA_EXCEEDED", {"quota": {"limit": 0, "period": "DAY"}}),
    ],
)
def test_the_response_can_be_customised(
    localstack: LocalStack, kind: str, limits: dict[str, Any]
) -> None:
    """The API's own gateway response of that type is used.

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
    """A stage's limit applies to each method, for all callers together, with a key or without.

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

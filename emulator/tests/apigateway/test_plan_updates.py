"""Changes of usage plans, as the clients of a REST API experience them."""

import pytest
from apigateway.plans import create_plan, statuses, today
from botocore.exceptions import ClientError
from conftest import Api


def test_a_changed_throttle_applies_to_the_next_request(api: Api) -> None:
    """Limits can be narrowed and removed while the API is running.

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


def test_a_changed_quota_applies_to_the_next_request(api: Api) -> None:
    """What was used before the change still counts."""
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
    """A method's limit can be added and removed, and is shown with the plan.

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
def test_an_invalid_change_is_refused(api: Api, path: str, value: str) -> None:
    """A change that the plan could not enforce is a BadRequestException."""
    plan = create_plan(api)
    with pytest.raises(ClientError) as refused:
        plan.patch("replace", path, value)
    assert refused.value.response["Error"]["Code"] == "BadRequestException"

"""What fails on AWS fails on the laptop: a missing permission, a client over its limits."""

import re
from pathlib import Path

import pytest

from scripts.lib import emulator as emulators
from scripts.lib.emulator import log_path
from tests.helpers.waiting import wait_for
from tests.integration.deployed import Api, Deployment


def log(deployment: Deployment) -> str:
    """Return the log of LocalStack."""
    return log_path(deployment.emulator.port).read_text(errors="replace")


def test_without_the_permission_to_read_there_is_no_model(
    deployment: Deployment, model: Path
) -> None:
    """Without s3:GetObject, `review` answers 503, and the log holds the missing statement."""
    configuration = deployment.project / "serverless.yml"
    text = configuration.read_text()
    template, params, rest = text.partition("\nparams:\n")
    assert template.count("Action: s3:GetObject\n") == 1
    template = template.replace("Action: s3:GetObject\n", "Action: s3:GetObjectTagging\n")
    configuration.write_text(template + params + rest)
    api = deployment.deploy()
    deployment.publish(model)
    answer = api.review("I love this movie")
    assert answer.status == 503
    assert "access to it is denied" in answer.json()["detail"]
    # The other permissions still work: health reads the pointer, and review logs.
    assert api.health()["models"]["review"]["version"]
    wait_for(lambda: any('"status": 503' in one for one in api.logs("review")), "review's log")
    if emulators.host() != "127.0.0.1":
        pytest.skip("all of it holds but for the log, which is LocalStack's, in another container")
    line = wait_for(
        lambda: re.search(rf"IAM denied s3:GetObject .*{deployment.stage}.*", log(deployment)),
        "the line in the log",
    )[0]
    key = f"arn:aws:s3:::sklearn-api-{deployment.stage}-models-000000000000/models/review/current"
    assert f'add {{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "{key}.json"}}' in line


def test_a_client_over_the_burst_gets_429(deployment: Deployment) -> None:
    """A client over the burst of its usage plan gets 429 with API Gateway's message."""
    api = deployment.deploy(throttleRate="1", throttleBurst="3")
    answers = [api.request("GET", "/health") for _ in range(8)]
    assert [answer.status for answer in answers[:3]] == [200, 200, 200]
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) >= 3
    assert refused[0].json() == {"message": "Too Many Requests"}


def test_a_client_over_the_quota_gets_429(deployment: Deployment) -> None:
    """A client over the quota of its usage plan gets 429 until the next period."""
    api = deployment.deploy(quotaPerMonth="2")
    assert [api.request("GET", "/health").status for _ in range(3)] == [200, 200, 429]
    assert api.request("GET", "/health").json() == {"message": "Limit Exceeded"}


def test_a_stage_with_high_limits_accepts_a_burst(api: Api) -> None:
    """With limits as high as those of `local`, no request of a burst is refused."""
    assert {api.request("GET", "/health").status for _ in range(60)} == {200}

"""Pipelines of every task, through API Gateway and a Lambda that has no pandas."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.lib.stack import client
from sklearn_api.store import Pointer, pointer_key, version_key
from tests.helpers.expected import assert_answered, instances
from tests.helpers.served import PIPELINES, served
from tests.helpers.waiting import wait_for
from tests.integration.deployed import Endpoint, Serve
from training.artifact.verify import write_verified
from training.signature import infer_signature


@pytest.fixture
def endpoint(serve: Serve) -> Iterator[Endpoint]:
    """The endpoint of `churn`, which serves the example again afterwards."""
    found = serve("churn", "/churn")
    s3: Any = client("s3", found.api.stack.emulator.url)
    where = {"Bucket": found.api.stack.bucket, "Key": pointer_key("churn")}
    example = s3.get_object(**where)["Body"].read()
    yield found
    s3.put_object(**where, Body=example)
    version = json.loads(example)["version"]
    wait_for(lambda: served_version(found) == version, "the example is served again")


def served_version(endpoint: Endpoint) -> str:
    """Return the version that the endpoint's function reports."""
    return str(endpoint.api.health()["models"]["churn"]["version"])


@pytest.mark.parametrize("name", PIPELINES)
def test_a_thousand_rows_are_answered_as_the_pipeline_predicts_them(
    endpoint: Endpoint, name: str
) -> None:
    """Gaps and unseen categories included; the fields are those of the model that serves."""
    case = served(name)
    signature = infer_signature(case.pipeline, case.given, labels=case.words, targets=case.targets)
    artifact, _ = write_verified(case.pipeline, signature, rows=case.given)
    digest = hashlib.sha256(artifact.content).hexdigest()
    pointer = Pointer("churn", name, digest, "2026-01-01T00:00:00+00:00")
    s3: Any = client("s3", endpoint.api.stack.emulator.url)
    bucket = endpoint.api.stack.bucket
    key = version_key("churn", name, "model.zip")
    s3.put_object(Bucket=bucket, Key=key, Body=artifact.content)
    s3.put_object(Bucket=bucket, Key=pointer_key("churn"), Body=pointer.to_json())
    rows = instances(case, signature)

    def answered() -> Any:
        answer = endpoint.post(rows[0])
        return answer.status == 200 and answer.json()["model"]["version"] == name

    wait_for(answered, f"{name} is served")
    answer = endpoint.post({"instances": rows})
    assert answer.status == 200, answer.text
    assert_answered(case, signature, answer.json()["predictions"])

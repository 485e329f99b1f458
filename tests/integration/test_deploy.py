"""Deployments: the first one, without a model, a repeated one, and changed ones with new routes."""

import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.project import python_version
from scripts.lib.stack import client, describe
from tests.helpers.waiting import wait_for
from tests.integration.deployed import Api, Deployment

PROBE = '''"""GET /probe: where things come from."""

import sys

import numpy
import sklearn
import skops


def handler(event, context):
    """Answer with the files of the libraries, and the interpreter's version."""
    files = "\\n".join(module.__file__ for module in (sklearn, numpy, skops))
    return {"statusCode": 200, "body": f"python{sys.version_info[0]}.{sys.version_info[1]}\\n{files}"}
'''

ROUTE = """  probe:
    handler: handlers/probe/handler.handler
    role: HealthRole
    memorySize: 512
    layers: [!Ref ScikitLearnLambdaLayer]
    events:
      - http: { method: get, path: probe, private: true }
    package: { patterns: [handlers/probe/handler.py] }

layers:
"""


def test_deploying_one_function_gives_the_same_zip_as_deploying_all(deployment: Deployment) -> None:
    """`deploy function` makes the same zip as `deploy`, and uploads it if anything has changed."""
    deployment.deploy()
    with zipfile.ZipFile(deployment.project / ".serverless" / "health.zip") as archive:
        names = archive.namelist()
    said = deployment.deploy_function("health")
    assert "Code did not change" in said
    assert "configuration did not change" in said
    assert any(name.endswith(f"/http.{sys.implementation.cache_tag}.pyc") for name in names)

    handler = deployment.project / "handlers" / "health" / "handler.py"
    handler.write_text(
        "def handler(event, context):\n    return {'statusCode': 200, 'body': 'changed'}\n"
    )
    assert "Function code deployed" in deployment.deploy_function("health")
    api = Api(describe(deployment.emulator, deployment.stage))
    assert api.request("GET", "/health").text == "changed"


def test_a_stack_is_deployed_again_with_new_code_and_a_new_route(
    deployment: Deployment, model: Path
) -> None:
    """Requests get 503 until a model is published; later deployments serve the new code."""
    api = deployment.deploy()
    answer = api.review("I love this movie")
    assert answer.status == 503
    # As on AWS: without permission to list, a missing object is 403.
    assert "no model is published" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0
    health = api.health()
    assert health["status"] == "degraded"
    assert [one["version"] for one in health["models"].values()] == [None, None]
    assert "no model is published" in health["models"]["churn"]["detail"]

    deployment.publish(model)
    wait_for(lambda: api.review("I love this movie").status == 200, "recovery from 503")

    handler = deployment.project / "handlers" / "health" / "handler.py"
    handler.write_text(
        "def handler(event, context):\n    return {'statusCode': 200, 'body': 'changed'}\n"
    )
    changed = deployment.deploy()
    assert changed.stack.endpoint == api.stack.endpoint
    assert changed.request("GET", "/health").text == "changed"
    assert changed.review("I hate this movie").json()["prediction"] == "Negative Review"

    probe = deployment.project / "handlers" / "probe" / "handler.py"
    probe.parent.mkdir()
    probe.write_text(PROBE)
    configuration = deployment.project / "serverless.yml"
    text = configuration.read_text()
    assert text.count("\nlayers:\n") == 1
    configuration.write_text(text.replace("\nlayers:\n", f"\n{ROUTE}"))
    grown = deployment.deploy()
    version, *files = grown.request("GET", "/probe").text.split("\n")
    assert version == f"python{python_version()}"
    # At /opt, as on AWS, or where the emulator has unpacked the layer.
    assert all(file.startswith("/opt/python/") or "/lambda/" in file for file in files), files
    assert grown.request("GET", "/health").text == "changed"
    assert grown.review("I love this movie").json()["prediction"] == "Positive Review"


@pytest.mark.parametrize("removal", ["Delete", "Retain"])
def test_a_stage_is_removed(deployment: Deployment, model: Path, removal: str) -> None:
    """`sls remove` removes the stage, and the models if `bucketRemoval` says so; then it deploys again."""
    deployment.deploy(bucketRemoval=removal)
    deployment.publish(model)
    assert len(existing(deployment)) > 10
    said = deployment.sls_remove(bucketRemoval=removal)
    assert "successfully removed" in said
    bucket = f"sklearn-api-{deployment.stage}-models-000000000000"
    if removal == "Retain":
        assert existing(deployment) == [bucket]
        s3: Any = client("s3", deployment.emulator.url)
        assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) > 1
    else:
        assert existing(deployment) == []
        assert f"objects from {bucket}" in said
        assert deployment.deploy().review("What a film!").status == 503


def existing(deployment: Deployment) -> list[str]:
    """Return the names of a stage's resources on the emulator, by service."""
    listings = [
        ("lambda", "list_functions", "Functions", "FunctionName"),
        ("iam", "list_roles", "Roles", "RoleName"),
        ("logs", "describe_log_groups", "logGroups", "logGroupName"),
        ("apigateway", "get_rest_apis", "items", "name"),
        ("apigateway", "get_api_keys", "items", "name"),
        ("apigateway", "get_usage_plans", "items", "name"),
        ("s3", "list_buckets", "Buckets", "Name"),
    ]
    names = []
    for service, operation, listing, name in listings:
        asked: Any = client(service, deployment.emulator.url)
        pages = asked.get_paginator(operation).paginate()
        names += [one[name] for page in pages for one in page.get(listing, [])]
    return [one for one in names if deployment.stage in one]

"""A deployed stage, and what tests do with it."""

import http.client
import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scripts.lib import toolchain
from scripts.lib.emulator import Emulator
from scripts.lib.project import ROOT, copy_paths
from scripts.lib.stack import Stack, client, credentials, describe, serverless
from training.options import MODEL_NAME

REFRESH_SECONDS = 0.2


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Api:
    """A deployed stack, as a client sees it."""

    stack: Stack

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        key: str | None = "",
        **headers: str,
    ) -> Answer:
        """Send a request with the right API key by default, with another one, or without if None."""
        parts = urlsplit(self.stack.endpoint)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent.setdefault("content-type", "application/json")
        if key is not None:
            sent["x-api-key"] = key or self.stack.api_key
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            connection.request(method, f"{parts.path}{path}", body, sent)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read())
        finally:
            connection.close()

    def post(self, path: str, content: Any, *, key: str | None = "", **headers: str) -> Answer:
        """Send an object as JSON; see `request` for the key."""
        return self.request("POST", path, json.dumps(content).encode(), key=key, **headers)

    def review(self, text: str, **headers: str) -> Answer:
        """Request the prediction for a review."""
        return self.post("/review", {"review_text": text}, **headers)

    def health(self) -> dict[str, Any]:
        """Return the JSON of `GET /health`, with the models by their names."""
        answer = self.request("GET", "/health", accept="application/json")
        assert answer.status == 200, answer.text
        found: dict[str, Any] = answer.json()
        models = {model["name"]: model for model in found["models"]}
        assert len(models) == len(found["models"])
        return {**found, "models": models}

    def logs(self, function: str) -> list[str]:
        """Return what a function has written to CloudWatch Logs."""
        logs: Any = client("logs", self.stack.emulator.url)
        group = f"/aws/lambda/sklearn-api-{self.stack.stage}-{function}"
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]


@dataclass(frozen=True)
class Endpoint:
    """The endpoint of a model on a deployed stack, as a client sees it.

    Attributes
    ----------
    api : Api
        The stack.
    path : str
        The endpoint's.
    example : dict
        An instance that the model answers, made of the examples in its signature.
    """

    api: Api
    path: str
    example: dict[str, Any]

    def post(self, content: Any, *, key: str | None = "", **headers: str) -> Answer:
        """Send an object as JSON, with the right API key by default, or without one if None."""
        return self.api.post(self.path, content, key=key, **headers)


Serve = Callable[[str, str], Endpoint]
"""Publishes a model, and returns its endpoint once that serves it."""


def copy_project(target: Path, *names: str) -> Path:
    """Copy parts of the project, and link large parts that do not change."""
    copy_paths(target, *names)
    (target / ".local").mkdir(exist_ok=True)
    for large in ("node_modules", ".local/layer", ".local/runtimes"):
        (target / large).symlink_to(ROOT / large)
    return target


class Deployment:
    """A stage that belongs to the tests."""

    def __init__(self, emulator: Emulator, project: Path) -> None:
        self.emulator = emulator
        self.project = project
        self.stage = f"test-{uuid.uuid4().hex[:8]}"

    def deploy(self, **parameters: str) -> Api:
        """Deploy the project's folder as it is now, with limits that no test reaches."""
        chosen = {
            "modelRefreshSeconds": str(REFRESH_SECONDS),
            "throttleRate": "10000",
            "throttleBurst": "5000",
            "quotaPerMonth": "100000000",
            **parameters,
        }
        serverless(
            ["deploy", *(f"--param={name}={value}" for name, value in chosen.items())],
            stage=self.stage,
            url=self.emulator.url,
            cwd=self.project,
        )
        return Api(describe(self.emulator, self.stage))

    def deploy_function(self, function: str) -> str:
        """Deploy the code of one function as it is now; return the deployer's output."""
        command = ["deploy", "function", "--function", function]
        return serverless(command, stage=self.stage, url=self.emulator.url, cwd=self.project)

    def sls_remove(self, **parameters: str) -> str:
        """Remove the stage with `sls remove`; return the deployer's output."""
        command = ["remove", *(f"--param={name}={value}" for name, value in parameters.items())]
        return serverless(command, stage=self.stage, url=self.emulator.url, cwd=self.project)

    def publish(self, model: Path, name: str = MODEL_NAME) -> str:
        """Publish a model with the command line; return its output."""
        return training(
            *("publish", "--stage", self.stage, "--name", name, "--model", str(model)),
            url=self.emulator.url,
        )

    def remove(self) -> None:
        """Remove everything that was deployed."""
        s3: Any = client("s3", self.emulator.url)
        for bucket in s3.list_buckets()["Buckets"]:
            if self.stage in bucket["Name"]:
                versions = s3.list_object_versions(Bucket=bucket["Name"])
                for version in versions.get("Versions", []) + versions.get("DeleteMarkers", []):
                    s3.delete_object(
                        Bucket=bucket["Name"], Key=version["Key"], VersionId=version["VersionId"]
                    )
        # What `sls remove` does in the end, without the two seconds that it takes to start.
        cloudformation: Any = client("cloudformation", self.emulator.url)
        name = f"sklearn-api-{self.stage}"
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )


def training(*arguments: str, url: str | None = None, **environment: str) -> str:
    """Run ``python -m training`` and return what it printed."""
    result = subprocess.run(
        [sys.executable, "-m", "training", *arguments],
        cwd=ROOT,
        env=training_environment(url) | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def training_environment(url: str | None = None) -> dict[str, str]:
    """Return the environment of ``python -m training`` for the emulator at `url`."""
    environment = toolchain.without_aws()
    if url:
        environment |= {**credentials(), "AWS_ENDPOINT_URL": url}
    return {**environment, "PYTHONPATH": str(ROOT)}


def another_time(model: Path, folder: Path, created: datetime) -> Path:
    """Return a copy of a trained model with another training time, which makes it a new version."""
    folder.mkdir(parents=True)
    (folder / "model.zip").write_bytes((model / "model.zip").read_bytes())
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["created"] = created.isoformat(timespec="seconds")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder

"""A stack of the tests' own, deployed by the real deployer to the emulator that runs.

Where no emulator runs, one is started on a free port and stopped in the end. The tests never touch
the stack that `scripts/up` has deployed: they deploy stages of their own, from a copy of the
project, and remove them.
"""

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from scripts.lib import emulator as emulators
from scripts.lib import toolchain
from scripts.lib.emulator import Emulator
from scripts.lib.layer import build_layer
from scripts.lib.project import ROOT, architecture, python_version
from scripts.lib.stack import Stack, client, credentials, describe, serverless

SAMPLE = ROOT / "training" / "sample" / "reviews.csv"
# What a deployment reads; the rest of a checkout is linked or left out.
DEPLOYED = ("serverless.yml", "handlers", "sklearn_api", ".python-version", "package.json")


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
        """Send a request; `key` is the API key, the right one by default, None for none."""
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

    def review(self, text: str, **headers: str) -> Answer:
        """Ask for the prediction of a review."""
        body = json.dumps({"review_text": text}).encode()
        return self.request("POST", "/review", body, **headers)

    def logs(self, function: str) -> list[str]:
        """Return what a function has written to CloudWatch Logs."""
        logs: Any = client("logs", self.stack.emulator.url)
        group = f"/aws/lambda/sklearn-api-{self.stack.stage}-{function}"
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """Poll until the condition holds; return its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return value


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """The emulator that runs, or one that is started for the tests."""
    toolchain.install_deployer()
    toolchain.install_emulator()
    toolchain.install_runtime()
    known = Stack.load()
    for port in filter(None, (known and known.emulator.port, emulators.default_port())):
        if found := emulators.find(port):
            yield found
            return
    started = emulators.start(emulators.free_port())
    yield started
    emulators.stop(started)


@pytest.fixture(scope="session")
def layer() -> Path:
    """The scikit-learn layer, built if it is not current."""
    return build_layer(python_version(), architecture(), root=ROOT, report=print).path


def copy_project(target: Path, *names: str) -> Path:
    """Copy parts of the project, and link what is large and does not change."""
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".venv", ".runtimes")
            shutil.copytree(source, target / name, ignore=ignored, dirs_exist_ok=True)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    (target / ".local").mkdir(exist_ok=True)
    for large in ("node_modules", ".local/layer", ".local/runtimes"):
        (target / large).symlink_to(ROOT / large)
    return target


@pytest.fixture
def project(tmp_path: Path, layer: Path) -> Path:
    """A copy of the project that a test may change and deploy."""
    return copy_project(tmp_path / "project", *DEPLOYED, "scripts/python-version.cjs")


class Deployment:
    """A stage of the tests' own."""

    def __init__(self, emulator: Emulator, project: Path) -> None:
        self.emulator = emulator
        self.project = project
        self.stage = f"test-{uuid.uuid4().hex[:8]}"

    def deploy(self) -> Api:
        """Deploy the project's folder as it is now."""
        serverless(
            ["deploy", "--param", "modelRefreshSeconds=0.2"],
            stage=self.stage,
            url=self.emulator.url,
            cwd=self.project,
        )
        return Api(describe(self.emulator, self.stage))

    def publish(self, model: Path) -> str:
        """Publish a model with the command line that a person uses; return its output."""
        return training(
            "publish", "--stage", self.stage, "--model", str(model), url=self.emulator.url
        )

    def remove(self) -> None:
        """Remove all that was deployed."""
        s3: Any = client("s3", self.emulator.url)
        for bucket in s3.list_buckets()["Buckets"]:
            if self.stage in bucket["Name"]:
                versions = s3.list_object_versions(Bucket=bucket["Name"])
                for version in versions.get("Versions", []) + versions.get("DeleteMarkers", []):
                    s3.delete_object(
                        Bucket=bucket["Name"], Key=version["Key"], VersionId=version["VersionId"]
                    )
        serverless(["remove"], stage=self.stage, url=self.emulator.url, cwd=self.project)


def training(*arguments: str, url: str | None = None) -> str:
    """Run ``python -m training`` and return what it printed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    if url:
        environment |= {**credentials(), "AWS_ENDPOINT_URL": url}
    result = subprocess.run(
        [sys.executable, "-m", "training", *arguments],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on the sample reviews."""
    folder = tmp_path_factory.mktemp("model")
    training("train", "--output", str(folder))
    return folder


@pytest.fixture(scope="session")
def opposite_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on the sample reviews with every label turned round."""
    folder = tmp_path_factory.mktemp("opposite")
    text = SAMPLE.read_text(encoding="utf-8")
    lines = [
        line.removesuffix("positive") + "negative"
        if line.endswith(",positive")
        else line.removesuffix("negative") + "positive"
        if line.endswith(",negative")
        else line
        for line in text.split("\n")
    ]
    data = folder / "reviews.csv"
    data.write_text("\n".join(lines), encoding="utf-8")
    training("train", "--data", str(data), "--output", str(folder))
    return folder


@pytest.fixture
def deployment(emulator: Emulator, project: Path) -> Iterator[Deployment]:
    """A stage that one test may deploy, change and deploy again."""
    made = Deployment(emulator, project)
    yield made
    made.remove()


@pytest.fixture(scope="session")
def shared_deployment(
    emulator: Emulator, layer: Path, model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A stage with a model, which all tests share that do not deploy."""
    folder = tmp_path_factory.mktemp("shared") / "project"
    copy_project(folder, *DEPLOYED, "scripts/python-version.cjs")
    made = Deployment(emulator, folder)
    made.deploy()
    made.publish(model)
    yield made
    made.remove()


@pytest.fixture
def api(shared_deployment: Deployment, model: Path) -> Api:
    """The API of the shared stage, with a model trained on the sample."""
    found = Api(describe(shared_deployment.emulator, shared_deployment.stage))
    wait_for(lambda: found.review("fine").status == 200, "the model is served")
    return found



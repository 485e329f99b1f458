"""A real LocalStack with the plugin, and factories for functions in it."""

import contextlib
import fcntl
import functools
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import boto3
import pytest
from botocore.config import Config
from localstack_parity.lambda_process import memory, runtimes

CLI = [sys.executable, "-m", "localstack_parity.cli"]
# The kernel kills a LocalStack when its tests are killed; see setpriv(1).
WITH_PARENT = ["setpriv", "--pdeathsig", "KILL", "--"]
RUNTIME = f"python{sys.version_info[0]}.{sys.version_info[1]}"
ENDS = (signal.SIGTERM, signal.SIGHUP)


def _interrupt(config: pytest.Config, number: int, frame: FrameType | None) -> None:
    """Make pytest tear down its fixtures, as after Ctrl-C, and ignore further signals."""
    for end in ENDS:
        signal.signal(end, lambda *_: None)
    if config.pluginmanager.hasplugin("dsession"):  # pytest-xdist: its workers have the fixtures
        for worker in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(worker), signal.SIGTERM)
    raise KeyboardInterrupt


def pytest_configure(config: pytest.Config) -> None:
    """Leave no LocalStack behind when the tests are terminated."""
    config.addinivalue_line(
        "markers",
        "same_without_namespaces: what the test shows cannot depend on namespaces; a second run "
        "with LAMBDA_NAMESPACES=off may leave it out",
    )
    config.addinivalue_line("markers", "long: the test takes more than 10 s, and runs first")
    for number in ENDS:
        if signal.getsignal(number) is signal.SIG_DFL:  # `nohup` ignores SIGHUP
            signal.signal(number, functools.partial(_interrupt, config))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run long tests first: at the end, the other processes would wait for them."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@dataclass
class LocalStack:
    """A running LocalStack."""

    process: "subprocess.Popen[bytes]"
    port: int
    state: Path
    seen: set[tuple[int, str]] = field(default_factory=set)
    clients: dict[str, Any] = field(default_factory=dict)
    creating: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str) -> Any:
        """Return a client, which is shared: creating one takes longer than a request."""
        with self.creating:  # Clients are thread-safe, creating them is not.
            if service not in self.clients:
                self.clients[service] = boto3.client(
                    service,
                    endpoint_url=self.url,
                    region_name="us-east-1",
                    aws_access_key_id="test",
                    aws_secret_access_key="test",
                    config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
                )
            return self.clients[service]

    def info(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/_localstack/parity", timeout=5) as answer:
            return dict(json.load(answer))

    def function_processes(self) -> list[int]:
        """Return the processes that belong to functions, even if LocalStack has ended."""
        for pid in memory.descendants([self.process.pid]) - {self.process.pid}:
            if (started := start_time(pid)) and b"watchdog.py" not in command_line(pid):
                self.seen.add((pid, started))
        return [pid for pid, started in self.seen if start_time(pid) == started]

    def function_programs(self) -> set[str]:
        """Return the programs that run for functions, except those that hold namespaces."""
        lines = [command_line(pid).split(b"\0") for pid in self.function_processes()]
        return {Path(line[0].decode()).name for line in lines if line[0]} - {"bwrap", "cat"}

    def environments(self) -> list[Path]:
        """Return the folders of execution environments."""
        return list((self.state / "tmp" / "lambda" / "environments").iterdir())

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(30)

    def kill(self) -> None:
        """End without the seconds of a clean shutdown; the watchdog ends the functions."""
        self.stop(signal.SIGKILL)


def start_time(pid: int) -> str | None:
    """Return when a process was started, in clock ticks; None if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def free_port() -> int:
    """Return a free port below Linux's ephemeral ones, which an outgoing connection might take."""
    while True:
        port = random.randint(20_000, 32_767)  # noqa: S311  # a port, not a secret
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_for(condition: Callable[[], Any], seconds: float = 20, what: str = "") -> Any:
    """Poll until the condition holds; return its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or condition}"
        time.sleep(0.05)
    return value


def start_localstack(state: Path, **environment: str) -> LocalStack:
    port = free_port()
    log = (state / "localstack.log").open("wb")
    process = subprocess.Popen(
        [*WITH_PARENT, *CLI, "start", "--port", str(port), "--state-dir", str(state)],
        stdout=log,
        stderr=log,
        env={**os.environ, **environment},
    )
    localstack = LocalStack(process, port, state)

    def ready() -> bool:
        assert process.poll() is None, (state / "localstack.log").read_text()
        try:
            return bool(localstack.info())
        except OSError:
            return False

    try:
        wait_for(ready, 60, "LocalStack")
    except BaseException:
        localstack.kill()
        raise
    return localstack


def install_runtime(name: str, base: Path) -> None:
    """Install a runtime, which is kept for later runs; several processes may run tests at once."""
    runtimes.directory().mkdir(parents=True, exist_ok=True)
    with (runtimes.directory() / ".tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        runtimes.install(name, base)


@pytest.fixture(scope="session", autouse=True)
def runtime() -> str:
    """Install the runtime that the functions use."""
    install_runtime(RUNTIME, Path(sys.executable).resolve())
    return RUNTIME


@pytest.fixture(scope="session")
def localstack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    running = start_localstack(tmp_path_factory.mktemp("localstack"), LAMBDA_RETRY_BASE_DELAY="1")
    yield running
    running.stop()


def archive(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, text in files.items():
            # Readable by everyone, as AWS requires: functions do not run as the files' owner.
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100755 if text.startswith("#!") else 0o100644) << 16
            target.writestr(entry, text)
    return buffer.getvalue()


@dataclass
class Function:
    """A deployed function."""

    localstack: LocalStack
    name: str

    def invoke(self, event: object = None) -> tuple[Any, str | None, str]:
        """Return the payload, the kind of error, and the tail of the log."""
        import base64

        answer = self.localstack.client("lambda").invoke(
            FunctionName=self.name, Payload=json.dumps(event), LogType="Tail"
        )
        log = base64.b64decode(answer.get("LogResult", "")).decode()
        return json.loads(answer["Payload"].read()), answer.get("FunctionError"), log

    def events(self) -> list[str]:
        """Return the messages in CloudWatch Logs."""
        logs = self.localstack.client("logs")
        pages = logs.get_paginator("filter_log_events")
        try:
            found = list(pages.paginate(logGroupName=f"/aws/lambda/{self.name}"))
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for page in found for event in page["events"]]

    def whole_log(self) -> list[str]:
        """Wait until an invocation's log is complete, and return the messages."""

        def complete() -> list[str] | None:
            events = self.events()
            ends = ("REPORT", '"type":"platform.report"')
            return events if any(end in event for event in events for end in ends) else None

        return list(wait_for(complete, what="the log in CloudWatch"))

    def update(self, source: str) -> None:
        client = self.localstack.client("lambda")
        client.update_function_code(FunctionName=self.name, ZipFile=archive({"handler.py": source}))
        wait_until_ready(client, "function_updated_v2", self.name)


def create_function(
    localstack: LocalStack, source: str | Mapping[str, str], **settings: Any
) -> Function:
    name = f"f-{uuid.uuid4().hex[:8]}"
    files = {"handler.py": source} if isinstance(source, str) else source
    client = localstack.client("lambda")
    client.create_function(
        **{
            "FunctionName": name,
            "Runtime": RUNTIME,
            "Handler": "handler.handler",
            "Role": "arn:aws:iam::000000000000:role/any",
            "Timeout": 5,
            "Code": {"ZipFile": archive(files)},
            **settings,
        }
    )
    wait_until_ready(client, "function_active_v2", name)
    return Function(localstack, name)


def wait_until_ready(client: Any, waiter: str, function: str) -> None:
    """Wait with one of boto3's waiters, but poll more often than its once a second."""
    client.get_waiter(waiter).wait(
        FunctionName=function, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600}
    )


@pytest.fixture
def function(localstack: LocalStack) -> Iterator[Callable[..., Function]]:
    made: list[Function] = []

    def create(source: str | Mapping[str, str], **settings: Any) -> Function:
        made.append(create_function(localstack, source, **settings))
        return made[-1]

    yield create
    for one in made:
        localstack.client("lambda").delete_function(FunctionName=one.name)


@pytest.fixture
def layer(localstack: LocalStack) -> Callable[[Mapping[str, str]], str]:
    def publish(files: Mapping[str, str]) -> str:
        answer = localstack.client("lambda").publish_layer_version(
            LayerName=f"l-{uuid.uuid4().hex[:8]}", Content={"ZipFile": archive(files)}
        )
        return str(answer["LayerVersionArn"])

    return publish


class Gate:
    """Holds invocations until the test opens it.

    A function that runs `HOLD` with `port` as its event connects, and waits for the end of the
    connection.
    """

    HOLD = "__import__('socket').create_connection(('127.0.0.1', event)).recv(1)"

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(30)
        self._held: list[socket.socket] = []
        self.port = int(self._listener.getsockname()[1])

    def wait_for(self, count: int) -> None:
        """Wait until so many more invocations are held."""
        self._held.extend(self._listener.accept()[0] for _ in range(count))

    def open(self) -> None:
        """Let all invocations continue."""
        for connection in (*self._held, self._listener):
            connection.close()


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open()


@dataclass
class Answer:
    """A response of an API."""

    status: int
    headers: Any
    body: bytes

    @property
    def message(self) -> str:
        return str(json.loads(self.body)["message"])


@dataclass
class Api:
    """A deployed REST API: any number of methods, one stage named ``s``."""

    localstack: LocalStack
    id: str
    stage: str = "s"

    def request(
        self,
        path: str = "/",
        key: str | None = None,
        method: str = "GET",
        body: bytes | None = None,
    ) -> Answer:
        request = urllib.request.Request(
            f"{self.localstack.url}/_aws/execute-api/{self.id}/{self.stage}{path}",
            body,
            {"Content-Type": "application/json", **({"x-api-key": key} if key else {})},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as answer:
            return Answer(answer.code, answer.headers, answer.read())

    def deploy(self) -> None:
        gateway = self.localstack.client("apigateway")
        gateway.create_deployment(restApiId=self.id, stageName=self.stage)


def create_api(
    localstack: LocalStack, methods: Mapping[str, Mapping[str, Any]], **settings: Any
) -> Api:
    """Create and deploy an API.

    Parameters
    ----------
    methods : mapping
        The integration of each method, by names such as ``/pets GET``; an empty one is a MOCK that
        answers 200.
    **settings
        Settings of every method, such as ``apiKeyRequired``.
    """
    gateway = localstack.client("apigateway")
    made = gateway.create_rest_api(name=f"a-{uuid.uuid4().hex[:8]}")
    resources = {"/": made["rootResourceId"]}
    for name, integration in methods.items():
        path, method = name.split()
        if path not in resources:
            resources[path] = gateway.create_resource(
                restApiId=made["id"], parentId=resources["/"], pathPart=path.strip("/")
            )["id"]
        where = {"restApiId": made["id"], "resourceId": resources[path], "httpMethod": method}
        gateway.put_method(**where, **{"authorizationType": "NONE", **settings})
        if integration:
            gateway.put_integration(**where, **integration)
            continue
        template = {"application/json": json.dumps({"statusCode": 200})}
        gateway.put_integration(**where, type="MOCK", requestTemplates=template)
        gateway.put_method_response(**where, statusCode="200")
        gateway.put_integration_response(**where, statusCode="200")
    api = Api(localstack, made["id"])
    api.deploy()
    return api


def lambda_integration(function: Function) -> dict[str, Any]:
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function.name}"
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    return {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri}

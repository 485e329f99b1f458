"""The runtime executor that LocalStack calls, see `localstack.services.lambda_.invocation`.

LocalStack creates one executor for each execution environment: `start` starts the process, `invoke`
runs one invocation at a time, and `stop` ends the process, even in the middle of an invocation.
"""

import platform
import shutil
import tempfile
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

from localstack import config
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from localstack_parity.lambda_process import (
    hot_reload,
    layers,
    namespace,
    outcome,
    report,
    runtimes,
)
from localstack_parity.lambda_process.environment import Layout, Paths, variables
from localstack_parity.lambda_process.function_process import FunctionProcess
from localstack_parity.lambda_process.namespace import Namespace
from localstack_parity.lambda_process.output import LogEvent, now
from localstack_parity.lambda_process.report import Init
from localstack_parity.lambda_process.runtime_api import Invocation, RuntimeApi

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
INIT_SECONDS = 10.0
IDLE_SECONDS = 2.0
"""How long a process may take, after an answer, to request more work or to end."""
_MEGABYTE = 1024**2
_MACHINES = {"x86_64": ("x86_64", "amd64"), "arm64": ("aarch64", "arm64")}
_RUNNING: set["ProcessExecutor"] = set()


class UnsupportedFunctionError(Exception):
    """A function that cannot run as a process here; the message says why."""


class ProcessExecutor(RuntimeExecutor):
    """Runs one execution environment as a local process."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id, function_version)
        self._lock = threading.Lock()
        self._variables: dict[str, str] = {}
        self._host: str | None = None
        self._layout: Layout | None = None
        self._namespace: Namespace | None = None
        self._process: FunctionProcess | None = None
        self._inits: list[Init] = []
        self._code: hot_reload.State | None = None
        self._stopped = False

    # Versions are prepared when a function is created or updated, not at its first request.

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack code and layers and check that they can run here; an error fails the function."""
        settings = function_version.config
        if settings.package_type != "Zip":
            raise UnsupportedFunctionError(
                "container images need Docker; package the function as a zip"
            )
        architecture = str(settings.architectures[0])
        if not config.LAMBDA_IGNORE_ARCHITECTURE and platform.machine() not in _MACHINES.get(
            architecture, ()
        ):
            raise UnsupportedFunctionError(
                f"the function is built for {architecture}, this machine is {platform.machine()}"
            )
        runtimes.find(settings.runtime)
        if settings.code:
            settings.code.prepare_for_execution()
        for layer in settings.layers:
            if layer.code:
                layer.code.prepare_for_execution()
        layers.merge(_layers(function_version))

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Keep the files: versions share them, and LocalStack itself removes them."""

    # The life of an environment.

    def start(self, env_vars: dict[str, str]) -> None:
        """Start the process and wait until it has initialised, or has failed to.

        A failed initialisation does not fail the environment: as on AWS, it is repeated within the
        first invocation, whose caller then gets the error.
        """
        settings = self.function_version.config
        assert settings.code is not None, "prepare_version refuses functions without code"
        layout = Layout(
            runtime=runtimes.find(settings.runtime),
            code=Path(settings.code.get_unzipped_code_location()),
            opt=layers.merge(_layers(self.function_version)),
            directory=_environments() / self.id,
            memory_bytes=settings.memory_size * _MEGABYTE,
            tmp_bytes=settings.ephemeral_storage.size * _MEGABYTE,
        )
        self._layout = layout
        layout.directory.mkdir(parents=True, exist_ok=True)
        with self._lock:
            if self._stopped:
                raise CancelledError
            _RUNNING.add(self)
        api = RuntimeApi(_max_response_bytes())
        self._host = api.host
        paths = Paths.of(layout, mounted=namespace.available())
        own = settings.environment or {}
        self._variables = variables(env_vars, own, layout.runtime, paths, api.address)
        if namespace.available():
            try:
                space = Namespace(layout.mounts(), self._initial_variables(layout, paths))
            except BaseException:
                api.close()
                raise
            with self._lock:
                self._namespace, stopped = space, self._stopped
            if stopped:
                api.close()
                space.close()
                raise CancelledError
        process = self._start_process(api)
        if not self._initialise(process, INIT_SECONDS):
            self._end_init(process)

    def stop(self) -> None:
        """End the process; a running invocation is cancelled."""
        with self._lock:
            self._stopped = True
            process, self._process = self._process, None
            space, self._namespace = self._namespace, None
            _RUNNING.discard(self)
        if space:
            space.close()
        if process:
            process.close()
        if self._layout:
            shutil.rmtree(self._layout.directory, ignore_errors=True)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one invocation; see `ExecutionEnvironment.invoke` for the fields of `payload`."""
        timeout = self.function_version.config.timeout
        request_id = payload["invoke-id"]
        started_at_ms, started = now(), time.monotonic()
        self._discard_outdated_process()
        process, ready, unclaimed = self._process_for_invocation()
        answer = None
        if ready:
            process.begin_work()
            answer = process.api.invoke(
                Invocation(
                    request_id=request_id,
                    payload=payload["payload"].encode(),
                    function_arn=payload["invoked-function-arn"],
                    trace_id=payload["trace-id"],
                    deadline_ms=int((time.time() + timeout) * 1000),
                ),
                timeout=max(0.0, timeout - (time.monotonic() - started)),
            )
        if answer is None:
            with self._lock:
                if self._stopped:
                    raise CancelledError
        seconds = time.monotonic() - started
        used_bytes = process.end_work()
        ended = outcome.determine(process, answer, request_id, float(timeout))
        if ended.kills_process:
            process.kill()
        inits, self._inits = self._inits, []
        log = report.log(
            self._function(),
            report.CompletedInvocation(
                request_id=request_id,
                started_at_ms=started_at_ms,
                events=unclaimed + process.output.take(),
                seconds=seconds,
                used_mb=-(-used_bytes // _MEGABYTE),
                status=ended.status,
                note=ended.note,
            ),
            inits,
        )
        return InvocationResult(request_id, ended.payload, is_error=ended.is_error, logs=log)

    def _initial_variables(self, layout: Layout, paths: Paths) -> dict[str, str]:
        """Return the variables of process 1, which on AWS is the runtime itself."""
        defaults = {"PYTHONPATH": paths.runtime} if layout.runtime else {}
        return {**defaults, **self._variables}

    def _start_process(self, api: RuntimeApi | None = None) -> FunctionProcess:
        assert self._layout is not None, "LocalStack starts an environment before it uses it"
        settings = self.function_version.config
        if settings.code and settings.code.is_hot_reloading():
            self._code = hot_reload.state(self._layout.code)
        process = FunctionProcess(
            self._layout,
            self._namespace,
            api or RuntimeApi(_max_response_bytes(), self._host),
            self._variables,
            (settings.environment or {}).get("AWS_LAMBDA_EXEC_WRAPPER"),
        )
        with self._lock:
            if not self._stopped:
                self._process = process
                return process
        process.close()
        raise CancelledError

    def _process_for_invocation(self) -> tuple[FunctionProcess, bool, list[LogEvent]]:
        """Return a process, whether it is ready, and what the one before it wrote since its log.

        Where initialisation failed, or the last invocation ended the process, a new one is
        initialised within this invocation.
        """
        timeout = self.function_version.config.timeout
        process = self._process
        if process and process.api.wait_until_ready(min(timeout, IDLE_SECONDS)):
            return process, True, []
        unclaimed = self._discard_process()
        process = self._start_process()
        return process, self._initialise(process, timeout, in_invocation=True), unclaimed

    def _initialise(
        self, process: FunctionProcess, seconds: float, in_invocation: bool = False
    ) -> bool:
        """Wait until the process requests work; return whether it did so in time.

        What the process writes and how long it takes belongs to the invocation where it is
        initialised in one.
        """
        process.begin_work()
        ready = process.api.wait_until_ready(seconds)
        took = time.monotonic() - process.started
        if in_invocation:
            self._inits.append(Init([], process.started_at_ms, None))
        else:
            process.end_work()
            written = process.output.take()
            self._inits.append(Init(written, process.started_at_ms, took if ready else None))
        return ready

    def _end_init(self, process: FunctionProcess) -> None:
        """End a process that did not initialise in time, unless it is already ending by itself."""
        if not process.api.closed:
            process.end_processes()

    def _discard_outdated_process(self) -> None:
        """With hot reloading, end a process whose code has changed since it was started."""
        if (
            self._code is not None
            and self._layout is not None
            and hot_reload.state(self._layout.code) != self._code
        ):
            self._discard_process()

    def _discard_process(self) -> list[LogEvent]:
        """Close the last process; return what it wrote and no log contains yet."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return []
        process.kill()
        written = process.output.take()
        process.close()
        return written

    def _function(self) -> report.LoggedFunction:
        settings = self.function_version.config
        family = "python" if "python" in str(settings.runtime) else "provided"
        version = str(settings.runtime).removeprefix(family).removeprefix(".")
        return report.LoggedFunction(
            version=self.function_version.id.qualifier,
            runtime=f"{family}:{version}.v1",
            runtime_arn=(settings.runtime_version_config or {}).get("RuntimeVersionArn") or "",
            memory_mb=settings.memory_size,
            as_json=settings.logging_config.get("LogFormat") == "JSON",
            quiet=settings.logging_config.get("SystemLogLevel") == "WARN",
        )

    # What else LocalStack requires of an executor.

    def get_address(self) -> str:
        """Return the environment's address, as LocalStack reaches it."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Return LocalStack's address, as the function reaches it."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Return an address that LocalStack puts into a variable of its own; unused here."""
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}"

    def get_logs(self) -> str:
        """Return what the process wrote and no invocation has claimed yet."""
        process = self._process
        return "".join(event.message for event in process.output.take()) if process else ""

    @classmethod
    def validate_environment(cls) -> bool:
        """Return True: the executor needs no other service."""
        return True


def _max_response_bytes() -> int:
    return int(config.LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES)


def _layers(function_version: FunctionVersion) -> list[Path]:
    return [
        Path(layer.code.get_unzipped_code_location())
        for layer in function_version.config.layers
        if layer.code
    ]


def _environments() -> Path:
    return Path(tempfile.gettempdir()) / "lambda" / "environments"


def running_in(code: Path) -> bool:
    """Return whether an environment runs code in this folder."""
    return any(one._layout and one._layout.code == code for one in list(_RUNNING))


def stop_all() -> None:
    """Stop every environment; called when LocalStack shuts down."""
    for executor in list(_RUNNING):
        executor.stop()

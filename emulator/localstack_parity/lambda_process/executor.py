"""The runtime executor that LocalStack calls, see `localstack.services.lambda_.invocation`.

LocalStack creates one executor for each execution environment: `start` brings up the process,
`invoke` runs one invocation at a time, `stop` ends it, also in the middle of an invocation.
"""

import logging
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

from localstack_parity.lambda_process import hot_reload, layers, namespace, report, runtimes
from localstack_parity.lambda_process.environment import (
    FunctionProcess,
    Place,
    View,
    variables,
)
from localstack_parity.lambda_process.namespace import Namespace
from localstack_parity.lambda_process.output import Event, now
from localstack_parity.lambda_process.report import Init
from localstack_parity.lambda_process.runtime_api import Answer, Invocation, RuntimeApi

LOG = logging.getLogger(__name__)

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
INIT_SECONDS = 10.0
IDLE_SECONDS = 2.0
"""How long a process may take, after an answer, to ask for more work or to end."""
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
        self._place: Place | None = None
        self._namespace: Namespace | None = None
        self._process: FunctionProcess | None = None
        self._inits: list[Init] = []
        self._code: hot_reload.State | None = None
        self._stopped = False

    # Versions: prepared when a function is created or updated, not at its first request.

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
        """Leave the files: LocalStack shares them between versions and removes them itself."""

    # Life of an environment.

    def start(self, env_vars: dict[str, str]) -> None:
        """Start the process and wait until it has initialised, or has failed to.

        A failed initialisation is no failure of the environment: as on AWS, it is tried once more
        within the first invocation, whose caller then gets the error.
        """
        settings = self.function_version.config
        assert settings.code is not None, "prepare_version refuses functions without code"
        place = Place(
            runtime=runtimes.find(settings.runtime),
            code=Path(settings.code.get_unzipped_code_location()),
            opt=layers.merge(_layers(self.function_version)),
            directory=_environments() / self.id,
            memory_bytes=settings.memory_size * _MEGABYTE,
            tmp_bytes=settings.ephemeral_storage.size * _MEGABYTE,
        )
        self._place = place
        place.directory.mkdir(parents=True, exist_ok=True)
        with self._lock:
            if self._stopped:
                raise CancelledError
            _RUNNING.add(self)
        api = RuntimeApi(_max_response_bytes())
        self._host = api.host
        view = View.of(place, mounted=namespace.available())
        own = settings.environment or {}
        self._variables = variables(env_vars, own, place.runtime, view, api.address)
        if namespace.available():
            try:
                space = Namespace(place.mounts(), self._initial_variables(place, view))
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
        """End the process; an invocation that is running is cancelled."""
        with self._lock:
            self._stopped = True
            process, self._process = self._process, None
            space, self._namespace = self._namespace, None
            _RUNNING.discard(self)
        if space:
            space.close()
        if process:
            process.close()
        if self._place:
            shutil.rmtree(self._place.directory, ignore_errors=True)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one invocation; see `ExecutionEnvironment.invoke` for the payload's fields."""
        settings = self.function_version.config
        request_id = payload["invoke-id"]
        began, begun = now(), time.monotonic()
        self._reload_changed_code()
        process = self._process
        carried: list[Event] = []
        if process is None or not process.api.wait_until_ready(min(settings.timeout, IDLE_SECONDS)):
            # Init failed, or the last invocation ended the process: initialise in this one.
            carried = self._discard_process()
            process = self._start_process()
            if not self._initialise(process, settings.timeout, within=True):
                timed_out = not process.api.closed and not process.out_of_memory
                answer = self._explain(process, request_id)
                return self._result(process, request_id, began, begun, answer, timed_out, carried)
        process.begin_work()
        answered = process.api.invoke(
            Invocation(
                request_id=request_id,
                payload=payload["payload"].encode(),
                function_arn=payload["invoked-function-arn"],
                trace_id=payload["trace-id"],
                deadline_ms=int((time.time() + settings.timeout) * 1000),
            ),
            timeout=max(0.0, settings.timeout - (time.monotonic() - begun)),
        )
        timed_out = answered is None and not process.api.closed
        answer = answered or self._explain(process, request_id)
        return self._result(process, request_id, began, begun, answer, timed_out, carried)

    def _initial_variables(self, place: Place, view: View) -> dict[str, str]:
        """Return the variables of process 1, which on AWS is the runtime itself."""
        defaults = {"PYTHONPATH": view.runtime} if place.runtime else {}
        return {**defaults, **self._variables}

    def _start_process(self, api: RuntimeApi | None = None) -> FunctionProcess:
        assert self._place is not None, "LocalStack starts an environment before it uses it"
        settings = self.function_version.config
        if settings.code and settings.code.is_hot_reloading():
            self._code = hot_reload.state(self._place.code)
        process = FunctionProcess(
            self._place,
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

    def _initialise(self, process: FunctionProcess, seconds: float, within: bool = False) -> bool:
        """Wait until the process asks for work; `within` an invocation, its time is that one's."""
        process.begin_work()
        ready = process.api.wait_until_ready(seconds)
        took = time.monotonic() - process.started
        if within:
            self._inits.append(Init([], process.began, None))
        else:
            process.end_work()
            written = process.output.take()
            self._inits.append(Init(written, process.began, took if ready else None))
        return ready

    def _end_init(self, process: FunctionProcess) -> None:
        """End a process that did not initialise in time, unless it is about to end by itself."""
        if not process.api.closed:
            process.end_processes()

    def _reload_changed_code(self) -> None:
        """With hot reloading, end a process whose code has changed since it was started."""
        if (
            self._code is not None
            and self._place is not None
            and hot_reload.state(self._place.code) != self._code
        ):
            self._discard_process()

    def _discard_process(self) -> list[Event]:
        """Close the last process; return what it wrote and nobody has taken yet."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return []
        process.kill()
        written = process.output.take()
        process.close()
        return written

    def _explain(self, process: FunctionProcess, request_id: str) -> Answer:
        """Return the error of an invocation that the process did not answer."""
        with self._lock:
            if self._stopped:
                raise CancelledError
        if process.out_of_memory:
            return Answer(report.out_of_memory(request_id), True)
        if not process.api.closed:
            return Answer(
                report.timed_out(request_id, float(self.function_version.config.timeout)), True
            )
        if payload := process.api.init_error:
            return Answer(payload, True)
        status = process.exit_status or 0
        if self._place and self._place.runtime is None and (reason := _entrypoint(self._place)):
            return Answer(report.invalid_entrypoint(request_id, reason), True)
        return Answer(report.exited(request_id, status), True)

    def _result(
        self,
        process: FunctionProcess,
        request_id: str,
        began: int,
        begun: float,
        answer: Answer,
        timed_out: bool,
        carried: list[Event],
    ) -> InvocationResult:
        seconds = time.monotonic() - begun
        used = process.end_work()
        if process.out_of_memory:
            answer, timed_out = Answer(report.out_of_memory(request_id), True), False
        status = "error" if answer.is_error else "success"
        note = ""
        if timed_out:  # A function that has run out of time may be in the middle of anything.
            status, note = "timeout", self._timeout_note(request_id)
            process.kill()
        inits, self._inits = self._inits, []
        logs = report.log(
            self._function(),
            report.Invocation(
                request_id=request_id,
                began=began,
                events=carried + process.output.take(),
                seconds=seconds,
                used_mb=-(-used // _MEGABYTE),
                status="failure" if process.out_of_memory or process.api.closed else status,
                note=note,
            ),
            inits,
        )
        return InvocationResult(request_id, answer.payload, is_error=answer.is_error, logs=logs)

    def _function(self) -> report.Function:
        settings = self.function_version.config
        family = "python" if "python" in str(settings.runtime) else "provided"
        version = str(settings.runtime).removeprefix(family).removeprefix(".")
        return report.Function(
            version=self.function_version.id.qualifier,
            runtime=f"{family}:{version}.v1",
            runtime_arn=(settings.runtime_version_config or {}).get("RuntimeVersionArn") or "",
            memory_mb=settings.memory_size,
            as_json=settings.logging_config.get("LogFormat") == "JSON",
            quiet=settings.logging_config.get("SystemLogLevel") == "WARN",
        )

    def _timeout_note(self, request_id: str) -> str:
        stamp = time.time()
        clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stamp))
        seconds = float(self.function_version.config.timeout)
        milliseconds = int(stamp % 1 * 1000)
        return (
            f"{clock}.{milliseconds:03d}Z {request_id} Task timed out after {seconds:.2f} seconds\n"
        )

    # What else LocalStack asks for.

    def get_address(self) -> str:
        """Return where the environment is, seen from LocalStack."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Return where LocalStack is, seen from the function."""
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
        """Return True: the executor needs no service beside LocalStack."""
        return True


def _max_response_bytes() -> int:
    return int(config.LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES)


def _layers(function_version: FunctionVersion) -> list[Path]:
    return [
        Path(layer.code.get_unzipped_code_location())
        for layer in function_version.config.layers
        if layer.code
    ]


def _entrypoint(place: Place) -> str | None:
    """Return why the program of an OS-only function cannot be run, None when it can."""
    candidates = {
        "/var/task/bootstrap": place.code / "bootstrap",
        "/opt/bootstrap": (place.opt or place.directory / "opt") / "bootstrap",
    }
    for name, path in candidates.items():
        if path.exists():
            executable = path.stat().st_mode & 0o111
            return None if executable else f"fork/exec {name}: permission denied"
    return f"Couldn't find valid bootstrap(s): [{' '.join(candidates)}]"


def _environments() -> Path:
    return Path(tempfile.gettempdir()) / "lambda" / "environments"


def running_in(code: Path) -> bool:
    """Return whether an environment runs code in this folder."""
    return any(one._place and one._place.code == code for one in list(_RUNNING))


def stop_all() -> None:
    """Stop every environment; called when LocalStack shuts down."""
    for executor in list(_RUNNING):
        executor.stop()

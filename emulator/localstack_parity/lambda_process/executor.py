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

from localstack_parity.lambda_process import report, runtimes
from localstack_parity.lambda_process.environment import Place, Sandbox
from localstack_parity.lambda_process.runtime_api import Answer, Invocation

LOG = logging.getLogger(__name__)

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
INIT_SECONDS = 10.0
IDLE_SECONDS = 2.0
"""How long a process may take, after an answer, to ask for more work or to end."""
_MACHINES = {"x86_64": ("x86_64", "amd64"), "arm64": ("aarch64", "arm64")}
_RUNNING: set["ProcessExecutor"] = set()


class UnsupportedFunctionError(Exception):
    """A function that cannot run as a process here; the message says why."""


class ProcessExecutor(RuntimeExecutor):
    """Runs one execution environment as a local process."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id, function_version)
        self._lock = threading.Lock()
        self._given: dict[str, str] = {}
        self._place: Place | None = None
        self._sandbox: Sandbox | None = None
        self._init_seconds: float | None = None
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
        runtimes.interpreter(settings.runtime)
        if settings.code:
            settings.code.prepare_for_execution()
        for layer in settings.layers:
            if layer.code:
                layer.code.prepare_for_execution()

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
        self._given = env_vars
        self._place = Place(
            interpreter=runtimes.interpreter(settings.runtime),
            code=Path(settings.code.get_unzipped_code_location()),
            layers=[
                Path(layer.code.get_unzipped_code_location())
                for layer in settings.layers
                if layer.code
            ],
            directory=_environments() / self.id,
        )
        with self._lock:
            if self._stopped:
                raise CancelledError
            _RUNNING.add(self)
        sandbox = self._start_sandbox()
        self._initialise(sandbox, INIT_SECONDS)

    def stop(self) -> None:
        """End the process; an invocation that is running is cancelled."""
        with self._lock:
            self._stopped = True
            sandbox, self._sandbox = self._sandbox, None
            _RUNNING.discard(self)
        if sandbox:
            sandbox.close()
        if self._place:
            shutil.rmtree(self._place.directory, ignore_errors=True)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one invocation; see `ExecutionEnvironment.invoke` for the payload's fields."""
        settings = self.function_version.config
        request_id = payload["invoke-id"]
        begun = time.monotonic()
        sandbox = self._sandbox
        carried = ""
        if sandbox is None or not sandbox.api.wait_until_ready(min(settings.timeout, IDLE_SECONDS)):
            # Init failed, or the last invocation ended the process: initialise in this one.
            carried = self._discard_sandbox()
            sandbox = self._start_sandbox()
            self._init_seconds = None
            if not self._initialise(sandbox, settings.timeout):
                answer, note = self._explain(sandbox, request_id), ""
                if not sandbox.api.closed:
                    note = self._timeout_note(request_id)
                return self._result(sandbox, request_id, begun, answer, note, carried)
        answered = sandbox.api.invoke(
            Invocation(
                request_id=request_id,
                payload=payload["payload"].encode(),
                function_arn=payload["invoked-function-arn"],
                trace_id=payload["trace-id"],
                deadline_ms=int((time.time() + settings.timeout) * 1000),
            ),
            timeout=max(0.0, settings.timeout - (time.monotonic() - begun)),
        )
        note = ""
        if answered is None and not sandbox.api.closed:
            note = self._timeout_note(request_id)
        answer = answered or self._explain(sandbox, request_id)
        return self._result(sandbox, request_id, begun, answer, note, carried)

    def _start_sandbox(self) -> Sandbox:
        assert self._place is not None, "LocalStack starts an environment before it uses it"
        sandbox = Sandbox(self._place, self._given)
        with self._lock:
            if not self._stopped:
                self._sandbox = sandbox
                return sandbox
        sandbox.close()
        raise CancelledError

    def _initialise(self, sandbox: Sandbox, seconds: float) -> bool:
        ready = sandbox.api.wait_until_ready(seconds)
        if ready:
            self._init_seconds = time.monotonic() - sandbox.started
        return ready

    def _discard_sandbox(self) -> str:
        """Close the last process; return what it wrote and nobody has taken yet."""
        with self._lock:
            sandbox, self._sandbox = self._sandbox, None
        if sandbox is None:
            return ""
        sandbox.kill()
        written = sandbox.output.take()
        sandbox.output.close()
        return written

    def _explain(self, sandbox: Sandbox, request_id: str) -> Answer:
        """Return the error of an invocation that the process did not answer."""
        with self._lock:
            if self._stopped:
                raise CancelledError
        if not sandbox.api.closed:
            return Answer(
                report.timed_out(request_id, float(self.function_version.config.timeout)), True
            )
        if payload := sandbox.api.init_error:
            return Answer(payload, True)
        status = sandbox.exit_status
        return Answer(report.exited(request_id, 0 if status is None else status), True)

    def _timeout_note(self, request_id: str) -> str:
        now = time.time()
        stamp = (
            time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
        )
        seconds = float(self.function_version.config.timeout)
        return f"{stamp} {request_id} Task timed out after {seconds:.2f} seconds\n"

    def _result(
        self,
        sandbox: Sandbox,
        request_id: str,
        begun: float,
        answer: Answer,
        note: str,
        carried: str,
    ) -> InvocationResult:
        duration = time.monotonic() - begun
        memory = sandbox.peak_memory_mb
        if note:  # A function that has run out of time may be in the middle of anything.
            sandbox.kill()
        init, self._init_seconds = self._init_seconds, None
        logs = report.log(
            request_id=request_id,
            version=self.function_version.id.qualifier,
            output=carried + sandbox.output.take(),
            duration=duration,
            memory_size=self.function_version.config.memory_size,
            memory_used=memory,
            init_duration=init,
            note=note,
        )
        return InvocationResult(request_id, answer.payload, is_error=answer.is_error, logs=logs)

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
        return self._sandbox.output.take() if self._sandbox else ""

    @classmethod
    def validate_environment(cls) -> bool:
        """Return True: the executor needs no service beside LocalStack."""
        return True


def _environments() -> Path:
    return Path(tempfile.gettempdir()) / "lambda" / "environments"


def stop_all() -> None:
    """Stop every environment; called when LocalStack shuts down."""
    for executor in list(_RUNNING):
        executor.stop()

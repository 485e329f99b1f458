"""Integration timeouts: the client gets its 504, and the backend call continues on its own.

This takes a thread for each call. Switching to another thread and back costs a millisecond or two
on a busy machine, so a call that cannot exceed the limit runs without one: a call to a function
whose own timeout ends it first.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import cache
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from localstack import config
from localstack.services.apigateway.next_gen.execute_api.gateway_response import (
    IntegrationTimeoutError,
)
from localstack.services.apigateway.next_gen.execute_api.integrations import (
    REST_API_INTEGRATIONS,
)
from localstack.services.apigateway.next_gen.execute_api.integrations.core import (
    RestApiIntegration,
)
from localstack.services.lambda_.invocation.models import lambda_stores
from localstack.services.lambda_.invocation.runtime_executor import get_runtime_executor

from localstack_parity.lambda_process.executor import INIT_SECONDS, ProcessExecutor

if TYPE_CHECKING:
    from localstack.services.apigateway.next_gen.execute_api.context import (
        EndpointResponse,
        RestApiInvocationContext,
    )

LOG = logging.getLogger(__name__)

DEFAULT_TIMEOUT_MS = 29_000


def limit_integrations() -> None:
    """Set a time limit on every integration that calls a backend."""
    workers = Workers(config.GATEWAY_WORKER_COUNT)
    for name, integration in REST_API_INTEGRATIONS.items():
        if name != "MOCK":
            REST_API_INTEGRATIONS[name] = TimedIntegration(integration, workers)


def timeout_of(integration: Mapping[str, Any]) -> float:
    """Return the time limit of an integration, in seconds."""
    return int(integration.get("timeoutInMillis") or DEFAULT_TIMEOUT_MS) / 1000


def ends_in_time(integration: Mapping[str, Any], seconds: float, cold_start: float) -> bool:
    """Return whether an integration calls a Lambda function that ends within the time limit.

    Parameters
    ----------
    integration : mapping
        The integration, as the API defines it.
    seconds : float
        The time limit of the integration.
    cold_start : float
        Longest time in seconds before a function's own timeout starts to run.

    Returns
    -------
    bool
        True if the function's own timeout ends every call in time. False for other integrations,
        and for functions that are not known.
    """
    if integration.get("type") != "AWS_PROXY":
        return False
    # …/functions/arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]/invocations
    _, _, arn = str(integration.get("uri")).partition("/functions/")
    parts = arn.removesuffix("/invocations").split(":")
    try:
        function = lambda_stores[parts[4]][parts[3]].functions[parts[6]]
    except (IndexError, KeyError, ValueError):  # it does not exist, or a stage variable names it
        return False
    timeouts = [version.config.timeout for version in list(function.versions.values())]
    return bool(timeouts) and cold_start + max(timeouts) < seconds


@cache
def _cold_start_seconds() -> float:
    if get_runtime_executor() is ProcessExecutor:
        return INIT_SECONDS
    return float(config.LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT)


class NotInTimeError(Exception):
    """A call took longer than its caller was willing to wait."""


class Workers:
    """Threads that run calls whose callers may stop waiting. Thread-safe.

    Parameters
    ----------
    limit : int
        Largest number of concurrent calls, including abandoned ones that still run. Further calls
        wait for a free slot, which counts against their own time limit.

    Notes
    -----
    The threads of `concurrent.futures` would keep the process from exiting.
    """

    def __init__(self, limit: int) -> None:
        self._slots = threading.BoundedSemaphore(limit)
        self._idle: deque[_Worker] = deque()

    def call(self, function: Callable[[], Any], seconds: float) -> Any:
        """Run a function in a worker thread; return what it returns, or raise what it raises.

        Raises
        ------
        NotInTimeError
            If the function has not finished within that many seconds. It continues to run.
        """
        deadline = time.monotonic() + seconds
        if not self._slots.acquire(timeout=seconds):
            raise NotInTimeError(f"no thread was free for {seconds} s")
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = _Worker(self._release)
            worker.start()
        call = _Call(function)
        worker.calls.put(call)
        return call.wait(deadline - time.monotonic(), seconds)

    def _release(self, worker: "_Worker") -> None:
        self._idle.append(worker)
        self._slots.release()


class _Worker(threading.Thread):
    def __init__(self, when_idle: Callable[["_Worker"], None]) -> None:
        super().__init__(name="parity-integration", daemon=True)
        self.calls: SimpleQueue[_Call] = SimpleQueue()
        self._when_idle = when_idle

    def run(self) -> None:
        while True:
            self.calls.get().run()
            self._when_idle(self)


class _Call:
    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._result: Any = None
        self._error: BaseException | None = None
        self._abandoned = False
        self._done = threading.Lock()  # cheaper than an Event, on the path of every request
        self._done.acquire()

    def run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as exc:  # raised again in the caller's thread
            self._error = exc
            if self._abandoned:
                LOG.info("an integration failed after its time limit had passed: %r", exc)
        self._done.release()

    def wait(self, seconds: float, limit: float) -> Any:
        if not self._done.acquire(timeout=max(0.0, seconds)):
            self._abandoned = True
            raise NotInTimeError(f"the call took longer than {limit} s")
        if self._error is not None:
            raise self._error
        return self._result


class TimedIntegration(RestApiIntegration):
    """An integration that is abandoned after its ``timeoutInMillis``, by default 29 s."""

    def __init__(self, integration: RestApiIntegration, workers: Workers) -> None:
        self.name = integration.name
        self._integration = integration
        self._workers = workers

    def invoke(self, context: "RestApiInvocationContext") -> "EndpointResponse":
        """Return the response of the integration.

        Raises
        ------
        IntegrationTimeoutError
            The gateway response ``INTEGRATION_TIMEOUT``, with status 504.
        """
        integration = context.integration or {}
        seconds = timeout_of(integration)
        if ends_in_time(integration, seconds, _cold_start_seconds()):
            return self._integration.invoke(context)
        try:
            response: EndpointResponse = self._workers.call(
                lambda: self._integration.invoke(context), seconds
            )
            return response
        except NotInTimeError as exc:
            LOG.warning("Execution failed due to a timeout error: %s", exc)
            raise IntegrationTimeoutError("Endpoint request timed out") from exc

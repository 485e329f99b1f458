"""Lets running invocations finish when a function is updated.

LocalStack stops the old version's environments and deletes its code as soon as the new version
exists. On AWS an invocation ends with the code that it started with.
"""

import threading
import time
from pathlib import Path
from typing import Any

from localstack.services.lambda_.invocation import lambda_service
from localstack.services.lambda_.invocation.execution_environment import RuntimeStatus
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager

from localstack_parity.lambda_process.executor import INIT_SECONDS, running_in

_POLL_SECONDS = 0.05
_CLOSING = threading.Event()


def install() -> None:
    """Make LocalStack wait for running invocations before it stops a version."""
    stop = LambdaVersionManager.stop
    destroy = lambda_service.destroy_code_if_not_used

    def stop_when_idle(manager: LambdaVersionManager) -> None:
        manager.shutdown_event.set()  # The version accepts no more invocations.
        limit = manager.function_version.config.timeout + INIT_SECONDS + 1
        _wait_while(lambda: _is_working(manager), limit)
        stop(manager)

    def destroy_when_idle(code: Any, function: Any) -> None:
        folder = Path(code.get_unzipped_code_location())
        limit = max(version.config.timeout for version in function.versions.values()) + INIT_SECONDS
        _wait_while(lambda: running_in(folder), limit + 2)
        destroy(code, function)

    LambdaVersionManager.stop = stop_when_idle  # type: ignore[assignment,method-assign]
    lambda_service.destroy_code_if_not_used = destroy_when_idle


def stop_waiting() -> None:
    """Stop all waiting: LocalStack shuts down."""
    _CLOSING.set()


def _is_working(manager: LambdaVersionManager) -> bool:
    environments = manager.assignment_service.environments.get(manager.id, {})
    busy = (RuntimeStatus.STARTING, RuntimeStatus.INVOKING)
    return any(environment.status in busy for environment in list(environments.values()))


def _wait_while(condition: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not _CLOSING.wait(_POLL_SECONDS) and time.monotonic() < deadline:
        if not condition():
            return

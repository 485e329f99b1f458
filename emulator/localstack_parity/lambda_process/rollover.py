"""An update lets running invocations of the old version finish.

LocalStack ends the old version's environments, and deletes its code, as soon as the new version is
there. On AWS invocations that have begun end with the code that they began with.
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
    """Have LocalStack wait for running invocations before it ends a version."""
    stop = LambdaVersionManager.stop
    destroy = lambda_service.destroy_code_if_not_used

    def stop_when_idle(manager: LambdaVersionManager) -> None:
        manager.shutdown_event.set()  # It takes no more invocations.
        limit = manager.function_version.config.timeout + INIT_SECONDS + 1
        _wait_while(lambda: _at_work(manager), limit)
        stop(manager)

    def destroy_when_idle(code: Any, function: Any) -> None:
        folder = Path(code.get_unzipped_code_location())
        limit = max(version.config.timeout for version in function.versions.values()) + INIT_SECONDS
        _wait_while(lambda: running_in(folder), limit + 2)
        destroy(code, function)

    LambdaVersionManager.stop = stop_when_idle  # type: ignore[assignment,method-assign]
    lambda_service.destroy_code_if_not_used = destroy_when_idle


def stop_waiting() -> None:
    """Wait for nothing any more: LocalStack ends."""
    _CLOSING.set()


def _at_work(manager: LambdaVersionManager) -> bool:
    environments = manager.assignment_service.environments.get(manager.id, {})
    busy = (RuntimeStatus.STARTING, RuntimeStatus.INVOKING)
    return any(environment.status in busy for environment in list(environments.values()))


def _wait_while(condition: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not _CLOSING.wait(_POLL_SECONDS) and time.monotonic() < deadline:
        if not condition():
            return

"""What LocalStack loads by entry point. Imports stay inside: LocalStack reads this at its start."""

import functools
import os
from typing import Any

from localstack.runtime import hooks
from localstack.runtime.server.core import RuntimeServer, RuntimeServerPlugin
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin

from localstack_parity.cli import INFO_PATH


@functools.cache  # LocalStack loads the executor for every environment.
def _mend_lambda() -> None:
    from localstack_parity.lambda_process import (
        delivery,
        keepalive,
        metrics,
        request_limit,
        rollover,
    )

    delivery.install()
    keepalive.install()
    metrics.install()
    request_limit.install()
    rollover.install()


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """The executor `process`, chosen with ``LAMBDA_RUNTIME_EXECUTOR=process``."""

    name = "process"

    def load(self, *args: Any, **kwargs: Any) -> type:
        """Return the executor class, and mend what surrounds it."""
        from localstack_parity.lambda_process.executor import ProcessExecutor

        _mend_lambda()
        return ProcessExecutor


class ServerPlugin(RuntimeServerPlugin):
    """The server `parity`, chosen with ``GATEWAY_SERVER=parity``."""

    name = "parity"

    def load(self, *args: Any, **kwargs: Any) -> RuntimeServer:
        """Return the server."""
        from localstack_parity.server import Server

        return Server()


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # LocalStack has no types for it
def publish_info() -> None:
    """Serve at `INFO_PATH` which executor really runs: LocalStack falls back in silence."""
    from localstack.services.internal import get_internal_apis

    from localstack_parity.info import serve_info

    get_internal_apis().add(INFO_PATH, serve_info, methods=["GET"])


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # the same reason
def mend_apigateway() -> None:
    """Let API Gateway behave as on AWS (bodies, usage plans, time limits), without a detour."""
    from localstack_parity import apigateway

    apigateway.install()


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # the same reason
def enforce_iam() -> None:
    """Check calls with a role's credentials against its policies, unless ``IAM_ENFORCE=off``."""
    from localstack.aws.handlers import modify_service_response
    from localstack.aws.handlers import serve_custom_service_request_handlers as before_services

    from localstack_parity import iam
    from localstack_parity.iam.enforce import check_call, hide_missing

    if iam.enforced(os.environ):
        before_services.append(check_call)
        modify_service_response.append("s3", hide_missing)  # type: ignore[arg-type]  # always rolo's


@hooks.on_infra_start(priority=-1)  # type: ignore[untyped-decorator]  # after IAM
def answer_for_ecr() -> None:
    """Say that there is no container repository, which `sls remove` asks first."""
    from localstack.aws.handlers import serve_custom_service_request_handlers as before_services

    from localstack_parity.ecr import answer

    before_services.append(answer)


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # the same reason
def mend_cloudformation() -> None:
    """Let CloudFormation delete stacks as a whole; from its first call on, to start quickly."""
    from localstack.aws.handlers import serve_custom_service_request_handlers as before_services

    def mend(chain: Any, context: Any, response: Any) -> None:
        if context.service is not None and context.service.service_name == "cloudformation":
            from localstack_parity import cloudformation

            cloudformation.install()

    before_services.append(mend)


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # the same reason
def ask_often() -> None:
    """Let LocalStack ask its own services ten times a second whether they are done, not once.

    CloudFormation waits twice for each function that it updates; the setting takes whole seconds.
    """
    from localstack import config

    config.BOTO_WAITER_MAX_ATTEMPTS *= config.BOTO_WAITER_DELAY * 10
    config.BOTO_WAITER_DELAY = 0.1  # type: ignore[assignment]  # what it is handed to takes parts


@hooks.on_infra_shutdown()  # type: ignore[untyped-decorator]  # the same reason
def stop_functions() -> None:
    """End every function process before LocalStack ends."""
    from localstack_parity.lambda_process import executor, rollover

    rollover.stop_waiting()
    executor.stop_all()

"""LocalStack's entry points into this package.

Imports are inside the functions because LocalStack imports this module at every start.
"""

import functools
import os
from typing import Any

from localstack.runtime import hooks
from localstack.runtime.server.core import RuntimeServer, RuntimeServerPlugin
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin

from localstack_parity.cli import INFO_PATH


@functools.cache  # LocalStack loads the executor for every execution environment
def _patch_lambda() -> None:
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
    """The executor `process`, selected by ``LAMBDA_RUNTIME_EXECUTOR=process``."""

    name = "process"

    def load(self, *args: Any, **kwargs: Any) -> type:
        """Patch LocalStack's Lambda service, and return the executor class."""
        from localstack_parity.lambda_process.executor import ProcessExecutor

        _patch_lambda()
        return ProcessExecutor


class ServerPlugin(RuntimeServerPlugin):
    """The server `parity`, selected by ``GATEWAY_SERVER=parity``."""

    name = "parity"

    def load(self, *args: Any, **kwargs: Any) -> RuntimeServer:
        """Return the server."""
        from localstack_parity.server import Server

        return Server()


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # LocalStack does not annotate hooks
def publish_info() -> None:
    """Report at `INFO_PATH` which executor is running: LocalStack falls back silently."""
    from localstack.services.internal import get_internal_apis

    from localstack_parity.info import serve_info

    get_internal_apis().add(INFO_PATH, serve_info, methods=["GET"])


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # LocalStack does not annotate hooks
def patch_apigateway() -> None:
    """Make API Gateway handle bodies, usage plans and timeouts as AWS does, and call Lambda fast.

    See `localstack_parity.apigateway`.
    """
    from localstack_parity import apigateway

    apigateway.install()


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # LocalStack does not annotate hooks
def enforce_iam() -> None:
    """Check calls with a role's credentials against its policies, unless ``IAM_ENFORCE=off``."""
    from localstack.aws.handlers import modify_service_response
    from localstack.aws.handlers import serve_custom_service_request_handlers as before_services

    from localstack_parity import iam
    from localstack_parity.iam.enforce import check_call, hide_missing

    if iam.enforced(os.environ):
        before_services.append(check_call)
        # LocalStack declares werkzeug's response, but always passes rolo's.
        modify_service_response.append("s3", hide_missing)  # type: ignore[arg-type]  # see above


@hooks.on_infra_start(priority=-1)  # type: ignore[untyped-decorator]  # LocalStack does not annotate hooks
def serve_ecr() -> None:
    """Respond that there are no container repositories, which `sls remove` checks first.

    Its priority places it after `enforce_iam`.
    """
    from localstack.aws.handlers import serve_custom_service_request_handlers as before_services

    from localstack_parity.ecr import answer

    before_services.append(answer)


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # LocalStack does not annotate hooks
def patch_cloudformation() -> None:
    """Make CloudFormation delete stacks completely.

    The patch is applied at its first call, to keep LocalStack's start fast.
    """
    from localstack.aws.handlers import serve_custom_service_request_handlers as before_services

    def patch(chain: Any, context: Any, response: Any) -> None:
        if context.service is not None and context.service.service_name == "cloudformation":
            from localstack_parity import cloudformation

            cloudformation.install()

    before_services.append(patch)


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # LocalStack does not annotate hooks
def ask_often() -> None:
    """Make LocalStack poll its own services ten times a second instead of once.

    CloudFormation waits twice for each function that it updates, and LocalStack's setting takes
    whole seconds only. The total waiting time stays the same.
    """
    from localstack import config

    config.BOTO_WAITER_MAX_ATTEMPTS *= config.BOTO_WAITER_DELAY * 10
    config.BOTO_WAITER_DELAY = 0.1  # type: ignore[assignment]  # botocore's waiters accept fractions


@hooks.on_infra_shutdown()  # type: ignore[untyped-decorator]  # LocalStack does not annotate hooks
def stop_functions() -> None:
    """Stop every function process before LocalStack exits."""
    from localstack_parity.lambda_process import executor, rollover

    rollover.stop_waiting()
    executor.stop_all()

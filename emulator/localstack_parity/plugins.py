"""What LocalStack loads by entry point. Imports stay inside: LocalStack reads this at its start."""

from typing import Any

from localstack.runtime import hooks
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin

from localstack_parity.cli import INFO_PATH


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """The executor `process`, chosen with ``LAMBDA_RUNTIME_EXECUTOR=process``."""

    name = "process"

    def load(self, *args: Any, **kwargs: Any) -> type:
        """Return the executor class."""
        from localstack_parity.lambda_process.executor import ProcessExecutor

        return ProcessExecutor


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # LocalStack has no types for it
def publish_info() -> None:
    """Serve at `INFO_PATH` which executor really runs: LocalStack falls back in silence."""
    from localstack.services.internal import get_internal_apis

    from localstack_parity.info import serve_info

    get_internal_apis().add(INFO_PATH, serve_info, methods=["GET"])


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # the same reason
def mend_apigateway() -> None:
    """Let API Gateway behave as on AWS: bodies, usage plans, time limits."""
    from localstack_parity import apigateway

    apigateway.install()


@hooks.on_infra_shutdown()  # type: ignore[untyped-decorator]  # the same reason
def stop_functions() -> None:
    """End every function process before LocalStack ends."""
    from localstack_parity.lambda_process.executor import stop_all

    stop_all()

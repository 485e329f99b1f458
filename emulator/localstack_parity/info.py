"""The endpoint that reports what is running, for harnesses that cannot rely on settings."""

import json
import os
from importlib.metadata import version
from typing import Any

from localstack.http import Request, Response
from localstack.services.lambda_.invocation.runtime_executor import get_runtime_executor

from localstack_parity import iam
from localstack_parity.lambda_process import namespace, runtimes
from localstack_parity.lambda_process.executor import ProcessExecutor


def serve_info(request: Request, **kwargs: Any) -> Response:
    """Report the executor, namespaces, IAM, process id, versions and installed runtimes as JSON."""
    executor = get_runtime_executor()
    installed = runtimes.directory()
    body = {
        "executor": "process" if executor is ProcessExecutor else executor.__name__,
        "iam": "on" if iam.enforced(os.environ) else "off",
        "namespaces": namespace.available(),
        "pid": os.getpid(),
        "version": version("localstack-parity"),
        "localstack": version("localstack-core"),
        "runtimes": [name for name in runtimes.SUPPORTED if (installed / name).is_dir()],
    }
    return Response(json.dumps(body), content_type="application/json")

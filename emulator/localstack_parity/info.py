"""The address that says what runs here, for harnesses that must not trust a setting."""

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
    """Answer with what runs: executor, namespaces, IAM, process id and versions."""
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

"""Run a handler in this process, the way AWS's managed Python runtime does.

Executed by the function's own interpreter, of whatever version, with AWS's runtime interface
client beside it. It puts the function and its layers in front of the import path, in AWS's order
(https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath), so
that a library from a layer wins over the runtime's own copy.
"""

import os
import sys


def _search_path() -> "list[str]":
    """Return the function's folder and then the layers' folders, the last layer first."""
    version = "python{}.{}".format(*sys.version_info[:2])
    entries = [os.environ["LAMBDA_TASK_ROOT"]]
    for layer in filter(None, os.environ.pop("_LAMBDA_LAYERS", "").split(os.pathsep)):
        entries.append(os.path.join(layer, "python", "lib", version, "site-packages"))
        entries.append(os.path.join(layer, "python"))
    return entries


if __name__ == "__main__":
    sys.path[:1] = _search_path()  # Entry 0 was this file's own folder.

    from awslambdaric.bootstrap import run
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

    run(os.environ["_HANDLER"], LambdaRuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"]))

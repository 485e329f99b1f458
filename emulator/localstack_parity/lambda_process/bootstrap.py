"""Run a handler in this process, the way AWS's managed Python runtime does.

The function's own interpreter executes this file, whatever its version, with AWS's runtime
interface client installed next to it. The function and its layers come first on the import path, in
AWS's order
(https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath), so
that a library from a layer wins over the runtime's own copy.
"""

import os
import sys


def _set_search_path(opt: str) -> None:
    if "PYTHONPATH" not in os.environ:
        os.environ["PYTHONPATH"] = os.environ["LAMBDA_RUNTIME_DIR"]
        layers = os.path.join(opt, "python")
        version = "python{}.{}".format(*sys.version_info[:2])
        sys.path.insert(0, layers)
        sys.path.insert(0, os.path.join(layers, "lib", version, "site-packages"))
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])


def _forget_coerced_locale() -> None:
    """Remove LC_CTYPE, which Python sets where the system lacks the locale in LANG; AWS has it."""
    with open("/proc/self/environ", "rb") as given:
        if not any(entry.startswith(b"LC_CTYPE=") for entry in given.read().split(b"\0")):
            os.environ.pop("LC_CTYPE", None)


def _record_sink() -> object:
    """Return a log sink that marks where a record starts and ends: it may have many lines.

    On AWS, records are written to a descriptor of their own. Here they share the pipe of the
    output, which keeps everything in the order in which it was written; see `output.py`.
    """
    from awslambdaric.bootstrap import StandardLogSink

    class RecordSink(StandardLogSink):  # type: ignore[misc]  # awslambdaric is not installed here
        def log(self, msg: str, frame_type: object = None) -> None:
            rest = b"\0\x1e" + msg.encode("utf-8", "backslashreplace") + b"\x1e\0"
            while rest:
                rest = rest[os.write(1, rest) :]

        def log_error(self, message_lines: "list[str]") -> None:
            self.log("\n".join(message_lines))

    return RecordSink()


if __name__ == "__main__":
    _set_search_path(sys.argv.pop())
    _forget_coerced_locale()

    from awslambdaric import bootstrap
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

    bootstrap.create_log_sink = _record_sink
    bootstrap.run(os.environ["_HANDLER"], LambdaRuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"]))

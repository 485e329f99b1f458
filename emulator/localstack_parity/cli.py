"""The command line `localstack-parity`: start LocalStack with this plugin, or not at all."""

import argparse
import fcntl
import json
import os
import shutil
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from localstack_parity import iam
from localstack_parity.lambda_process import runtimes

DEFAULT_PORT = 4566
INFO_PATH = "/_localstack/parity"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; see ``--help``."""
    parser = argparse.ArgumentParser(
        prog="localstack-parity",
        description="Run LocalStack with Lambda functions as local processes, without Docker.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser(
        "start", help="start LocalStack in the foreground (Ctrl-C stops it)"
    )
    start.add_argument("--port", type=int, default=DEFAULT_PORT, help="default: %(default)s")
    start.add_argument(
        "--host", default="127.0.0.1", help="address to listen on, default: %(default)s"
    )
    start.add_argument(
        "--state-dir",
        type=Path,
        default=Path(".local/localstack"),
        help="folder for everything that LocalStack writes, default: %(default)s",
    )
    install = commands.add_parser(
        "install-runtime", help="create the environments of Lambda runtimes, such as python3.13"
    )
    install.add_argument(
        "runtime",
        nargs="+",
        metavar="RUNTIME[=INTERPRETER]",
        help=f"one of {', '.join(runtimes.SUPPORTED)}; INTERPRETER is looked up on PATH if omitted",
    )
    check = commands.add_parser(
        "check", help="succeed if LocalStack responds and runs functions as processes"
    )
    check.add_argument("--port", type=int, default=DEFAULT_PORT, help="default: %(default)s")
    arguments = parser.parse_args(argv)
    if arguments.command == "install-runtime":
        return runtimes.main_install(arguments.runtime)
    if arguments.command == "check":
        return _check(arguments.port)
    return _start(arguments.host, arguments.port, arguments.state_dir.absolute())


def _start(host: str, port: int, state: Path) -> int:
    try:
        iam.enforced(os.environ)
    except ValueError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    if problem := _occupied(host, port):
        print(f"error: {problem}", file=sys.stderr)
        return 1
    state.mkdir(parents=True, exist_ok=True)
    # The kernel releases the lock when this process ends, whatever ends it.
    lock = (state / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(
            f"error: another LocalStack uses {state}; choose another folder with --state-dir",
            file=sys.stderr,
        )
        return 1
    temporary = state / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)  # left behind by a LocalStack that was killed
    temporary.mkdir()
    defaults = {
        "LOCALSTACK_VOLUME_DIR": str(state / "volume"),
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",  # no telemetry
        "DNS_ADDRESS": "0",  # no DNS server: functions get an IP address
        "GATEWAY_SERVER": "parity",  # see server.py
        "IN_MEMORY_CLIENT": "1",  # LocalStack's calls to itself do not use the network
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    tempfile.tempdir = str(temporary)  # where LocalStack unpacks functions and layers
    os.environ["XDG_CACHE_HOME"] = str(state / "cache")
    os.environ["GATEWAY_LISTEN"] = f"{host}:{port}"
    if host not in ("127.0.0.1", "localhost", "0.0.0.0"):  # noqa: S104  # a comparison, not a bind
        os.environ["GATEWAY_LISTEN"] += f",127.0.0.1:{port}"  # functions connect to this address
    os.environ["LAMBDA_RUNTIME_EXECUTOR"] = "process"
    # LocalStack reads its settings when it is imported, so the imports come only now.
    from localstack.runtime.main import main as run_localstack
    from localstack.services.lambda_.invocation.runtime_executor import EXECUTOR_PLUGIN_MANAGER
    from localstack.services.s3 import provider as s3

    if not EXECUTOR_PLUGIN_MANAGER.exists("process"):
        print(
            "error: LocalStack does not find the plugin `process`; install localstack-parity into "
            f"the environment of {sys.executable}",
            file=sys.stderr,
        )
        return 1
    # By default, all LocalStacks of a machine share one fixed folder.
    s3.DEFAULT_S3_TMP_DIR = str(temporary / "s3")
    run_localstack()  # type: ignore[no-untyped-call]  # LocalStack does not annotate it
    return 0


def _check(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{INFO_PATH}", timeout=4) as response:
            executor = json.load(response)["executor"]
    except (OSError, ValueError, KeyError) as exc:
        print(
            f"error: no LocalStack with this plugin responds at port {port}: {exc}",
            file=sys.stderr,
        )
        return 1
    print(f"executor: {executor}")
    return 0 if executor == "process" else 1


def _occupied(host: str, port: int) -> str | None:
    """Return why it is impossible to listen at an address, or None if it is possible."""
    if not 0 < port < 65536:
        return f"{port} is not a valid port: use a number from 1 to 65535"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            return f"cannot listen on {host}:{port} ({exc.strerror}); choose another with --port"
    return None


if __name__ == "__main__":
    sys.exit(main())

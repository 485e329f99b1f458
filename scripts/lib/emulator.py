"""Starts, queries and stops the emulator, a process on this machine.

As a program, this starts LocalStack in the foreground, as `docker compose up` does::

    ./scripts/emulator [--port 4566]
"""

import argparse
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from scripts.lib import toolchain
from scripts.lib.console import OUT, run_main, step
from scripts.lib.project import LOCAL, ScriptError, tail

DEFAULT_PORT = 4566
START_SECONDS = 90.0
STOP_SECONDS = 5.0  # then it is killed: its state is lost either way, and its watchdog cleans up


@dataclass(frozen=True)
class Emulator:
    """A running emulator, as it describes itself."""

    pid: int
    port: int
    executor: str

    @property
    def url(self) -> str:
        """The URL that it listens at."""
        return f"http://{host()}:{self.port}"


def host() -> str:
    """Return the emulator's host: ``EMULATOR_HOST``, which containers set, or this machine."""
    return os.environ.get("EMULATOR_HOST", "127.0.0.1")


def default_port() -> int:
    """Return the port to use if none is given: ``EMULATOR_PORT``, or 4566."""
    text = os.environ.get("EMULATOR_PORT", str(DEFAULT_PORT))
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ScriptError(f"EMULATOR_PORT is {text!r}; it must be a number from 1 to 65535")
    return int(text)


def find(port: int) -> Emulator | None:
    """Return the emulator that listens at `port`; None if nothing does, or another program."""
    try:
        info = _info(port)
        return Emulator(int(info["pid"]), port, str(info["executor"]))
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return None


def has_runtime(emulator: Emulator, version: str) -> bool:
    """Return whether an emulator can run functions of a Python version."""
    return f"python{version}" in _describe(emulator)["runtimes"]


def has_namespaces(emulator: Emulator) -> bool:
    """Return whether functions see the same paths as on AWS."""
    return bool(_describe(emulator)["namespaces"])


def _describe(emulator: Emulator) -> dict[str, Any]:
    try:
        return _info(emulator.port)
    except (OSError, HTTPException, ValueError) as exc:
        raise ScriptError(f"LocalStack at port {emulator.port} no longer answers: {exc}") from exc


def _info(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://{host()}:{port}/_localstack/parity", timeout=5) as answer:
        return dict(json.load(answer))


def port_is_free(port: int) -> bool:
    """Return whether a server can listen at a port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def state_directory(port: int) -> Path:
    """Return the folder in which the emulator at `port` keeps its state."""
    return LOCAL / "localstack" / str(port)


def log_path(port: int) -> Path:
    """Return the log of the emulator at `port`."""
    return LOCAL / "localstack" / f"{port}.log"


def _pid_path(port: int) -> Path:
    return LOCAL / "localstack" / f"{port}.pid"


def started_by_up(emulator: Emulator) -> bool:
    """Return whether `start` started the emulator, not a person with scripts/emulator."""
    try:
        return _pid_path(emulator.port).read_text() == str(emulator.pid)
    except FileNotFoundError:
        return False


def command(port: int) -> list[str]:
    """Return the command line that starts the emulator in the foreground."""
    return [
        str(toolchain.EMULATOR_ENVIRONMENT / "bin" / "python"), "-m", "localstack_parity.cli",
        "start", "--port", str(port), "--state-dir", str(state_directory(port)),
    ]  # fmt: skip


def environment() -> dict[str, str]:
    """Return the emulator's environment: this process's, without AWS's and Python's variables."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))
    }
    return {**inherited, "LAMBDA_RUNTIMES_DIR": str(toolchain.RUNTIMES)}


def start(port: int) -> Emulator:
    """Start the emulator in the background and wait until it answers.

    Raises
    ------
    ScriptError
        The port is taken, the emulator died or did not answer in time, or it does not run functions
        as processes. Nothing is left running.
    """
    if not port_is_free(port):
        raise ScriptError(
            f"port {port} is used by another program; choose another with --port, "
            f"for example --port {free_port()}"
        )
    log = log_path(port)
    log.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers()
    with log.open("wb") as target:
        process = subprocess.Popen(
            command(port),
            stdout=target,
            stderr=target,
            stdin=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,  # so that Ctrl-C in this terminal does not reach it
        )
    try:
        started = _wait(process, port, log)
        _pid_path(port).write_text(str(started.pid))
        return started
    except BaseException:
        process.kill()
        process.wait()
        raise


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> Emulator:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ScriptError(
                f"LocalStack exited while it was starting (exit status {process.returncode}); "
                f"the end of {log}:\n{tail(log)}"
            )
        if found := find(port):
            if found.executor != "process":
                raise ScriptError(
                    f"LocalStack's executor of functions is {found.executor!r}, not 'process'; "
                    f"the end of {log}:\n{tail(log)}"
                )
            return found
        time.sleep(0.1)
    raise ScriptError(
        f"LocalStack did not answer within {START_SECONDS:.0f} s; the end of {log}:\n{tail(log)}"
    )


def stop(emulator: Emulator) -> bool:
    """Stop an emulator and remove its state, but not its log; return False if it does not run.

    The emulator is first asked for its process id, so that no other process is killed that has got
    the same id since.
    """
    found = find(emulator.port)
    if found is None or found.pid != emulator.pid:
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _exists(found.pid):
        if time.monotonic() > deadline:
            os.kill(found.pid, signal.SIGKILL)
            break
        time.sleep(0.05)
    _pid_path(found.port).unlink(missing_ok=True)
    shutil.rmtree(state_directory(found.port), ignore_errors=True)
    return True


def _remove_leftovers() -> None:
    """Remove the state of emulators that were killed, up to a gigabyte each."""
    for lock in state_directory(0).parent.glob("*/lock"):
        # Another emulator that starts may have removed it by now.
        with suppress(FileNotFoundError), lock.open() as opened:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # the emulator is running
            shutil.rmtree(lock.parent, ignore_errors=True)


def _exists(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # reaps it if it is this process's child
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> int:
    """Start the emulator in the foreground; see ``--help``."""
    parser = argparse.ArgumentParser(
        prog="scripts/emulator",
        description="Start LocalStack in the foreground, with Lambda functions as processes. "
        "Ctrl-C stops it and everything that runs in it.",
    )
    parser.add_argument("--port", type=int, default=default_port(), help="default: %(default)s")
    port = parser.parse_args().port
    with step("LocalStack") as done:
        done("installed" if toolchain.install_emulator() else "current")
        toolchain.install_runtime()
    if not port_is_free(port):
        raise ScriptError(f"port {port} is used by another program; choose another with --port")
    OUT.print(f"Starting at http://127.0.0.1:{port} (Ctrl-C stops it)", markup=False)
    arguments = command(port)
    os.execve(arguments[0], arguments, environment())


if __name__ == "__main__":
    run_main(main)

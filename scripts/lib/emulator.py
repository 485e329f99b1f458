"""The emulator as a process on this machine: started, asked, and stopped.

Run as a program it starts LocalStack in the foreground, the way `docker compose up` would::

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
STOP_SECONDS = 5.0  # then it is killed: its state is gone either way, and its watchdog cleans up


@dataclass(frozen=True)
class Emulator:
    """A running emulator, as its own address describes it."""

    pid: int
    port: int
    executor: str

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{host()}:{self.port}"


def host() -> str:
    """Return the emulator's host: this one, or, in a container, the name in ``EMULATOR_HOST``."""
    return os.environ.get("EMULATOR_HOST", "127.0.0.1")


def default_port() -> int:
    """Return the port to use where none is given: ``EMULATOR_PORT``, or 4566."""
    text = os.environ.get("EMULATOR_PORT", str(DEFAULT_PORT))
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ScriptError(f"EMULATOR_PORT is {text!r}; it must be a number from 1 to 65535")
    return int(text)


def find(port: int) -> Emulator | None:
    """Return the emulator that listens at `port`, None where nothing or something else does."""
    try:
        info = _info(port)
        return Emulator(int(info["pid"]), port, str(info["executor"]))
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return None


def has_runtime(emulator: Emulator, version: str) -> bool:
    """Return whether functions of a Python version can run in an emulator."""
    return f"python{version}" in _describe(emulator)["runtimes"]


def has_namespaces(emulator: Emulator) -> bool:
    """Return whether functions see AWS's own paths."""
    return bool(_describe(emulator)["namespaces"])


def _describe(emulator: Emulator) -> dict[str, Any]:
    try:
        return _info(emulator.port)
    except (OSError, HTTPException, ValueError) as exc:
        raise ScriptError(
            f"LocalStack at port {emulator.port} does not answer any more: {exc}"
        ) from exc


def _info(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://{host()}:{port}/_localstack/parity", timeout=5) as answer:
        return dict(json.load(answer))


def port_is_free(port: int) -> bool:
    """Return whether a server can listen at that port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def state_directory(port: int) -> Path:
    """Return the folder of everything that the emulator at `port` writes."""
    return LOCAL / "localstack" / str(port)


def log_path(port: int) -> Path:
    """Return the log of the emulator at `port`."""
    return LOCAL / "localstack" / f"{port}.log"


def _pid_path(port: int) -> Path:
    return LOCAL / "localstack" / f"{port}.pid"


def started_by_up(emulator: Emulator) -> bool:
    """Return whether `start` started it, and not a person with scripts/emulator."""
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
    """Return the emulator's environment: this one, without what would point it elsewhere."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))
    }
    return {**inherited, "LAMBDA_RUNTIMES_DIR": str(toolchain.RUNTIMES)}


def start(port: int) -> Emulator:
    """Start the emulator in the background and wait until it answers.

    Raises
    ------
    ScriptError
        The port is taken, the emulator died or did not answer in time, or it runs functions in
        another way than as processes. Nothing is left running.
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
            start_new_session=True,  # Ctrl-C in this terminal must not reach it
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
                f"LocalStack ended while it was starting (exit status {process.returncode}); "
                f"the end of {log}:\n{tail(log)}"
            )
        if found := find(port):
            if found.executor != "process":
                raise ScriptError(
                    f"LocalStack runs functions with {found.executor!r} instead of 'process'; "
                    f"the end of {log}:\n{tail(log)}"
                )
            return found
        time.sleep(0.1)
    raise ScriptError(
        f"LocalStack did not answer within {START_SECONDS:.0f} s; the end of {log}:\n{tail(log)}"
    )


def stop(emulator: Emulator) -> bool:
    """Stop an emulator, and remove its state; return False when it does not run (any more).

    Its log stays. It is asked for its process id first, so that no other process can be meant by an
    old one.
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
    """Remove what emulators that were killed have left: up to a gigabyte each."""
    for lock in state_directory(0).parent.glob("*/lock"):
        # Another one that starts may have removed it by now.
        with suppress(FileNotFoundError), lock.open() as opened:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # It runs.
            shutil.rmtree(lock.parent, ignore_errors=True)


def _exists(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # Reap it if it is this process's child.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> int:
    """Start the emulator in the foreground; see ``--help``."""
    parser = argparse.ArgumentParser(
        prog="scripts/emulator",
        description="Start LocalStack, with Lambda functions as processes, in the foreground. "
        "Ctrl-C ends it, and all that runs in it.",
    )
    parser.add_argument("--port", type=int, default=default_port(), help="default: %(default)s")
    port = parser.parse_args().port
    with step("LocalStack") as done:
        done("installed" if toolchain.install_emulator() else "is current")
        toolchain.install_runtime()
    if not port_is_free(port):
        raise ScriptError(f"port {port} is used by another program; choose another with --port")
    OUT.print(f"Starting at http://127.0.0.1:{port} (Ctrl-C ends it)", markup=False)
    arguments = command(port)
    os.execve(arguments[0], arguments, environment())


if __name__ == "__main__":
    run_main(main)

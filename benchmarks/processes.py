"""Starts servers as processes, waits for them, measures their memory, and stops them."""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from scripts.lib import toolchain
from scripts.lib.project import LOCAL, ROOT, ScriptError, tail

FOLDER = LOCAL / "bench"
"""Where the benchmark writes everything except environments and the document."""

_STOP_SECONDS = 10.0


def tree(pid: int) -> dict[int, str]:
    """Return the ids of a process and all its descendants, with the start time of each.

    The start time distinguishes a process from a later one with the same id.
    """
    parents: dict[int, list[int]] = {}
    started: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it may have exited
                # After the name, which may contain anything: state, parent, …, start (proc(5)).
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
                started[int(entry.name)] = fields[19]
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        if one in started:
            found[one] = started[one]
            waiting += parents.get(one, [])
    return found


def memory(pid: int) -> int:
    """Return the memory of a process and its descendants in bytes (PSS: shared pages divided)."""
    total = 0
    for one in tree(pid):
        with suppress(OSError):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


@contextmanager
def run_server(
    name: str, command: list[str], *, cwd: Path = ROOT, **environment: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the context ends; its output goes to a log in `FOLDER`."""
    log = log_path(name)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as target:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**toolchain.without_aws(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=target,
            stderr=target,
            start_new_session=True,  # so that Ctrl-C does not reach it: it is stopped below
        )
    try:
        yield process
    finally:
        stop(process)


def log_path(name: str) -> Path:
    """Return the path of a server's log."""
    return FOLDER / f"{name}.log"


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop a server with SIGTERM, and kill all descendants that are left."""
    family = tree(process.pid)
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    for pid, started in family.items():
        if tree(pid).get(pid) == started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait()


def wait_until_answers(
    name: str, process: "subprocess.Popen[bytes]", ask: Callable[[], object], seconds: float = 60
) -> None:
    """Wait until `ask` no longer raises OSError.

    Raises
    ------
    ScriptError
        The server exited, or did not answer in time. The message ends with the end of its log.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            ask()
        except OSError as exc:
            end = f"the end of {log_path(name)}:\n{tail(log_path(name))}"
            if process.poll() is not None:
                raise ScriptError(
                    f"{name} exited while it was starting (exit status {process.returncode}); {end}"
                ) from exc
            if time.monotonic() > deadline:
                raise ScriptError(
                    f"{name} did not answer within {seconds:.0f} s ({exc}); {end}"
                ) from exc
            time.sleep(0.05)
        else:
            return


def fetch(url: str, method: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Send one request and return the body of the response.

    Raises
    ------
    OSError
        There was no response, or its status was not 200. The message has the start of its body.
    """
    request = urllib.request.Request(url, body or None, dict(headers), method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as exc:
        raise OSError(f"status {exc.code}: {exc.read()[:300]!r}") from exc

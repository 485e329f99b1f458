"""Kills every function process, and removes its files, when LocalStack is gone.

LocalStack can be killed without a chance to clean up. The watchdog is a process of its own, in a
session of its own, and holds the reading end of a pipe whose only writer is LocalStack. The kernel
closes that pipe however LocalStack ends, and the watchdog then kills what is still registered.

Lines on standard input: ``+ ADDRESS DIRECTORY`` registers an environment before its process is
started, ``- ADDRESS`` forgets it.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

if __name__ == "__main__":  # Run as a file by `python -I -S`, which cannot import the package.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from processes import kill_all  # type: ignore[import-not-found]  # found through the path above
else:
    from localstack_parity.lambda_process.processes import kill_all


class Watchdog:
    """LocalStack's side: starts the process on first use, and restarts it if it was killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._registered: dict[str, str] = {}

    def register(self, address: str, directory: Path) -> None:
        """Have the environment at `address` killed, and `directory` removed, if LocalStack dies."""
        with self._lock:
            self._registered[address] = str(directory)
            self._send(f"+ {address} {directory}\n")

    def forget(self, address: str) -> None:
        """Undo `register`: the environment has been stopped in the normal way."""
        with self._lock:
            if self._registered.pop(address, None) is not None:
                self._send(f"- {address}\n")

    def _send(self, line: str) -> None:
        for _ in range(2):
            if self._process is None or self._process.poll() is not None:
                self._process = self._start()
                line = "".join(f"+ {a} {d}\n" for a, d in self._registered.items())
            assert self._process.stdin is not None
            try:
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()
                return
            except BrokenPipeError:
                self._process.wait()
        raise RuntimeError("the watchdog of the function processes exits as soon as it is started")

    @staticmethod
    def _start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            env={},
        )


def _watch() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    registered: dict[str, str] = {}
    for line in sys.stdin:
        action, _, rest = line.rstrip("\n").partition(" ")
        address, _, directory = rest.partition(" ")
        if action == "+":
            registered[address] = directory
        else:
            registered.pop(address, None)
    kill_all(registered)
    for directory in registered.values():
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    _watch()

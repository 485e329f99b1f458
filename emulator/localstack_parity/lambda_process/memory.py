"""Measures the memory of a function's process tree and enforces the function's memory size.

On AWS a function runs in a virtual machine of its memory size, and is killed if it needs more.
Here one thread checks the processes of every environment that is at work, and has those killed
that exceed their limit.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

INTERVAL_SECONDS = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")


def descendants(roots: Iterable[int]) -> set[int]:
    """Return processes and all their descendants, from ``/proc/<pid>/task/*/children``."""
    found: set[int] = set()
    pending = list(roots)
    while pending:
        pid = pending.pop()
        if pid in found:
            continue
        found.add(pid)
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                children = Path(f"/proc/{pid}/task/{task}/children").read_text()
                pending.extend(map(int, children.split()))
        except OSError:  # It has ended in the meantime.
            continue
    return found


def used_bytes(processes: Iterable[int], limit: int) -> int:
    """Return the memory that processes use; the result is exact where it exceeds `limit`.

    The sum of resident sets counts shared memory once per process. Where that sum exceeds the
    limit, the proportional set sizes are added up instead, which takes longer. See proc(5),
    ``statm`` and ``smaps_rollup``.
    """
    pids = list(processes)
    total = sum(map(_resident_bytes, pids))
    if total > limit and len(pids) > 1:
        total = sum(map(_proportional_bytes, pids))
    return total


def peak_bytes(pid: int) -> int:
    """Return the peak resident set of a process, 0 if it has ended (``VmHWM``, see proc(5))."""
    return _kilobytes(f"/proc/{pid}/status", "VmHWM:")


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _proportional_bytes(pid: int) -> int:
    return _kilobytes(f"/proc/{pid}/smaps_rollup", "Pss:")


def _kilobytes(path: str, name: str) -> int:
    try:
        for line in Path(path).read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


@dataclass
class _Watched:
    processes: Callable[[], Iterable[int]]
    limit: int
    exceeded: Callable[[], None]
    peak: int = 0


class MemoryWatch:
    """Checks the process trees of environments while they are at work."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: dict[object, _Watched] = {}
        self._thread: threading.Thread | None = None

    def begin(
        self,
        key: object,
        processes: Callable[[], Iterable[int]],
        limit: int,
        exceeded: Callable[[], None],
    ) -> None:
        """Watch a tree from now on.

        Parameters
        ----------
        key : object
            Identifies the tree; pass it to `end`.
        processes : callable
            Returns the tree's processes.
        limit : int
            In bytes.
        exceeded : callable
            Called, in the watching thread, when the tree exceeds the limit.
        """
        with self._changed:
            self._watched[key] = _Watched(processes, limit, exceeded)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="memory-watch", daemon=True)
                self._thread.start()
            self._changed.notify()

    def end(self, key: object) -> int:
        """Stop watching; return the highest number of bytes seen."""
        with self._changed:
            watched = self._watched.pop(key, None)
        return watched.peak if watched else 0

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._watched)
            time.sleep(INTERVAL_SECONDS)  # Most invocations end before the first check.
            with self._changed:
                current = list(self._watched.values())
            for watched in current:
                used = used_bytes(watched.processes(), watched.limit)
                watched.peak = max(watched.peak, used)
                if used > watched.limit:
                    watched.exceeded()

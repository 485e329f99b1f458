"""Find and kill the processes of an execution environment, however they were started.

This module imports only the standard library, because the watchdog runs it in a bare interpreter. A
process belongs to an execution environment if its environment block names that environment's
Runtime API. Children inherit it, whatever session or group they move to.
"""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

MARKER = "AWS_LAMBDA_RUNTIME_API"


def _processes_with(markers: frozenset[bytes]) -> Iterator[int]:
    own = os.getpid()
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) == own:
            continue
        try:
            block = Path(entry.path, "environ").read_bytes()
        except OSError:  # It has ended in the meantime, or belongs to another user.
            continue
        if not markers.isdisjoint(block.split(b"\0")):
            yield int(entry.name)


def kill_all(addresses: Iterable[str], *, patience: float = 5.0) -> int:
    """Kill every process that belongs to the environments with these Runtime API addresses.

    Parameters
    ----------
    addresses : iterable of str
        Values of ``AWS_LAMBDA_RUNTIME_API``, each ``host:port``.
    patience : float
        Seconds to keep looking for children that were forked during the search.

    Returns
    -------
    int
        How many processes were killed.
    """
    markers = frozenset(f"{MARKER}={address}".encode() for address in addresses)
    killed: set[int] = set()
    deadline = time.monotonic() + patience
    while markers:
        # A killed process that has not been reaped has an empty environment block and is not found
        # again. One in an uninterruptible call is found again, hence the deadline.
        found = set(_processes_with(markers))
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        killed |= found
        if not found or time.monotonic() > deadline:
            break
        time.sleep(0.005)
    return len(killed)


def kill_tree(tree: Callable[[], Collection[int]], *, patience: float = 5.0) -> None:
    """Kill processes until there are none.

    Parameters
    ----------
    tree : callable
        Returns the processes that exist now.
    patience : float
        Seconds to keep looking for children that were forked during the search.
    """
    deadline = time.monotonic() + patience
    while (found := tree()) and time.monotonic() < deadline:
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.002)

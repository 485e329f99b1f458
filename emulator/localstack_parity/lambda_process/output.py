"""The standard output and error of a function process, split into the events of its log.

Both streams share one pipe, as on AWS. A thread drains it continuously, so that a function that
prints a lot never blocks, and records when each part arrived. When an answer arrives, everything
that the function wrote before it is already in the pipe, and `Output.take` reads it first.

A line is an event, and so is a record of Python's `logging` or an error's traceback, however many
lines it has: AWS's runtime client writes those through `bootstrap.py`, which marks where they end.
"""

import os
import re
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

MAX_LOG_BYTES = 1024 * 1024  # of one invocation; a function that prints endlessly does no harm
_CHUNK = 65536
_RECORD = re.compile(rb"\0\x1e(.*?)\x1e\0", re.DOTALL)


@dataclass(frozen=True)
class LogEvent:
    """One event of a log.

    Attributes
    ----------
    milliseconds : int
        When it was written, since 1970.
    message : str
        Includes its line break, where it has one.
    """

    milliseconds: int
    message: str


def now() -> int:
    """Return the milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Output:
    """Collects what is read from a pipe until `take` returns it.

    Parameters
    ----------
    descriptor : int
        Reading end of the pipe, which is made non-blocking; `close` closes it.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self._lock = threading.Lock()
        self._chunks: list[tuple[int, bytes]] = []
        self._size = 0
        self._dropped = 0
        self._open = True

    def read(self) -> bool:
        """Read everything available; return False at the end of the stream."""
        with self._lock:
            return self._read()

    def take(self) -> list[LogEvent]:
        """Return what was written since the last call, including what is still in the pipe."""
        with self._lock:
            self._read()
            chunks, dropped = self._chunks, self._dropped
            self._chunks, self._size, self._dropped = [], 0, 0
        events = _events(chunks)
        if dropped:
            events.append(LogEvent(now(), f"[{dropped} bytes of output left out here]\n"))
        return events

    def close(self) -> None:
        """Close the pipe; a process that still writes to it gets EPIPE."""
        with self._lock:
            if self._open:
                self._open = False
                os.close(self.descriptor)

    def _read(self) -> bool:
        while self._open:
            try:
                chunk = os.read(self.descriptor, _CHUNK)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            room = max(0, MAX_LOG_BYTES - self._size)
            if kept := chunk[:room]:
                self._chunks.append((now(), kept))
            self._size += len(kept)
            self._dropped += len(chunk) - len(kept)
        return False


def _events(chunks: list[tuple[int, bytes]]) -> list[LogEvent]:
    """Split what was read into events, each stamped with the time at which its end arrived."""
    ends: list[int] = []
    for _, content in chunks:
        ends.append((ends[-1] if ends else 0) + len(content))
    written = b"".join(content for _, content in chunks)

    def event(content: bytes, end: int) -> LogEvent:
        return LogEvent(chunks[bisect_left(ends, end)][0], content.decode("utf-8", "replace"))

    def lines(start: int, end: int) -> Iterator[LogEvent]:
        while start < end:
            # Only a line feed ends a line: progress bars, for example, write carriage returns.
            stop = written.find(b"\n", start, end) + 1 or end
            yield event(written[start:stop], stop)
            start = stop

    events: list[LogEvent] = []
    position = 0
    for record in _RECORD.finditer(written):
        events.extend(lines(position, record.start()))
        events.append(event(record[1], record.end()))
        position = record.end()
    events.extend(lines(position, len(written)))
    return events

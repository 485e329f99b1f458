"""The standard output and error of a function process, as the logs of its invocations.

Both streams are one pipe, as on AWS. A thread empties it all the time, so that a function that
prints a lot never blocks. When an answer arrives, what the function wrote before it is already in
the pipe, and `Output.take` reads that much before it cuts.
"""

import os
import threading

MAX_LOG_BYTES = 1024 * 1024  # of one invocation; a function that prints without end stays harmless
_CHUNK = 65536


class Output:
    """Collects what is read from a pipe until somebody takes it.

    Parameters
    ----------
    descriptor : int
        Reading end of the pipe. It is switched to non-blocking and closed by `close`.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self._lock = threading.Lock()
        self._chunks: list[bytes] = []
        self._size = 0
        self._dropped = 0
        self._open = True

    def read(self) -> bool:
        """Read all that is there; return False at the end of the stream."""
        with self._lock:
            return self._read()

    def take(self) -> str:
        """Return what came since the last call, what is in the pipe at this moment included."""
        with self._lock:
            self._read()
            text = b"".join(self._chunks).decode("utf-8", "replace")
            if self._dropped:
                text += f"\n[{self._dropped} bytes of output left out here]\n"
            self._chunks, self._size, self._dropped = [], 0, 0
        return text

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
                self._chunks.append(kept)
            self._size += len(kept)
            self._dropped += len(chunk) - len(kept)
        return False

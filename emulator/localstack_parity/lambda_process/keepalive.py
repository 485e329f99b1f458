"""One thread for all timers of execution environments.

After each invocation LocalStack starts a `threading.Timer`, which is a thread, to stop the
environment once it has been idle for long enough; the next invocation cancels it.
"""

import threading
import time
from collections.abc import Callable

from localstack.services.lambda_.invocation import execution_environment


class Timers:
    """Calls functions when they are due, each in a thread of its own. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._deadlines: dict[Timer, float] = {}
        self._wakes = float("inf")
        self._thread: threading.Thread | None = None

    def start(self, timer: "Timer") -> None:
        """Start a timer."""
        deadline = time.monotonic() + timer.seconds
        with self._changed:
            self._deadlines[timer] = deadline
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="keepalive", daemon=True)
                self._thread.start()
            if deadline < self._wakes:
                self._changed.notify()

    def cancel(self, timer: "Timer") -> None:
        """Forget a timer, if it is still running."""
        with self._changed:
            self._deadlines.pop(timer, None)

    def _run(self) -> None:
        while True:
            with self._changed:
                due = [timer for timer, when in self._deadlines.items() if when <= time.monotonic()]
                for timer in due:
                    del self._deadlines[timer]
                if not due:
                    # A cancelled timer costs one wake-up that finds nothing to do.
                    self._wakes = min(self._deadlines.values(), default=float("inf"))
                    wait = self._wakes - time.monotonic()
                    self._changed.wait(None if wait == float("inf") else max(0.0, wait))
            for timer in due:
                threading.Thread(target=timer.function, name="keepalive-ended", daemon=True).start()


_TIMERS = Timers()


class Timer:
    """Implements the part of `threading.Timer` that LocalStack uses for its environments.

    Parameters
    ----------
    seconds : float
        Time from `start` to the call.
    function : callable
        The function to call then, unless the timer has been cancelled.
    """

    def __init__(self, seconds: float, function: Callable[[], None]) -> None:
        self.seconds = seconds
        self.function = function

    def start(self) -> None:
        """Start the timer."""
        _TIMERS.start(self)

    def cancel(self) -> None:
        """Cancel the timer; without effect once the function has been called."""
        _TIMERS.cancel(self)


def install() -> None:
    """Make LocalStack's environments use these timers."""
    execution_environment.Timer = Timer  # type: ignore[attr-defined,assignment]  # imported there, not exported

"""A function that runs in a thread of its own, for its result."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Task(Generic[T]):
    """A function that runs in a thread of its own.

    `concurrent.futures` offers the same, but its import takes 2 ms of a cold start.

    Parameters
    ----------
    function : callable
        Called once, immediately.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = threading.Thread(target=self._run, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # No thread could be started; the work still has to be done.
            self._thread = None
            self._run()

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as exc:
            self._error = exc

    def result(self) -> T:
        """Wait for the function to end; return what it returned, or raise what it raised."""
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._results[0]

"""The output of the scripts: steps with progress and duration, and errors in one sentence."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

from scripts.lib.project import ScriptError

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)
_ENDS = (signal.SIGTERM, signal.SIGHUP)


class Step:
    """A running step. `result` is printed when it ends."""

    def __init__(self) -> None:
        self.result = "done"

    def __call__(self, result: str) -> None:
        """Set the result."""
        self.result = result


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Show a step while it runs (with a spinner on a terminal), and its result when it ends."""
    started = time.monotonic()
    current = Step()
    if OUT.is_terminal:
        with OUT.status(f"{title} …"):
            yield current
    else:
        OUT.print(f"• {title} …", markup=False)
        yield current
    OUT.print(f"✓ {title}: {current.result} ({time.monotonic() - started:.1f} s)", markup=False)


def on_end(act: Callable[[int], object]) -> None:
    """Call `act` with the signal's number on the first SIGTERM or SIGHUP, and ignore later ones.

    A terminal that closes may send several signals, and cleaning up takes a moment. A signal that
    is ignored already, as SIGHUP is below `nohup`, stays ignored.
    """

    def once(number: int, frame: FrameType | None) -> None:
        for end in _ENDS:
            signal.signal(end, lambda *_: None)
        act(number)

    for number in _ENDS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, once)


def run_main(main: Callable[[], int]) -> None:
    """Run a script's main function and exit with the appropriate status.

    A `ScriptError` is printed as ``error: …`` and gives exit status 1; Ctrl-C gives 130. SIGTERM
    and a closed terminal (SIGHUP, unless `nohup` ignores it) give 128 plus the signal's number.
    Each of them unwinds the stack, so that whatever the script has started is stopped.
    """
    on_end(lambda number: sys.exit(128 + number))
    try:
        sys.exit(main())
    except ScriptError as exc:
        ERR.print(f"error: {exc}", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        ERR.print("stopped by Ctrl-C", markup=False)
        sys.exit(130)

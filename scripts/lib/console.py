"""What the scripts print: steps with their progress and time, errors as one sentence."""

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
    """One step under way; `result` is what its line says in the end."""

    def __init__(self) -> None:
        self.result = "done"

    def __call__(self, result: str) -> None:
        """Set what the step's line says when it has ended."""
        self.result = result


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Show a step while it runs (a spinner on a terminal) and one line when it has ended."""
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
    """Have SIGTERM or a terminal that is closed call `act`, with its number; the first one alone.

    A terminal that closes may send several, and cleaning up takes a moment. What is ignored, as
    `nohup` has SIGHUP ignored, stays so.
    """

    def once(number: int, frame: FrameType | None) -> None:
        for end in _ENDS:
            signal.signal(end, lambda *_: None)
        act(number)

    for number in _ENDS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, once)


def run_main(main: Callable[[], int]) -> None:
    """Run a script's main function and end the process as a person expects it.

    A `ScriptError` becomes ``error: …`` and exit status 1, Ctrl-C exit status 130. SIGTERM and a
    terminal that is closed (SIGHUP, unless `nohup` has it ignored) are exits, too, with 128 and the
    signal's number: what has been started is stopped.
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

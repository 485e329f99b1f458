"""For all tests: an end from outside is as tidy as one by Ctrl-C."""

import signal
from types import FrameType

ENDS = (signal.SIGTERM, signal.SIGHUP)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Have pytest end its fixtures, which stop what they have started; undisturbed."""
    for end in ENDS:
        signal.signal(end, lambda *_: None)
    raise KeyboardInterrupt


def pytest_configure() -> None:
    """An end from outside leaves no emulator."""
    for number in ENDS:
        if signal.getsignal(number) is signal.SIG_DFL:  # `nohup` has it ignored
            signal.signal(number, _interrupt)

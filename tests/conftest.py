"""For all tests: an end from outside is as tidy as one by Ctrl-C."""

from scripts.lib.console import on_end


def pytest_configure() -> None:
    """Have pytest end its fixtures, which stop what they have started."""
    on_end(_interrupt)


def _interrupt(number: int) -> None:
    raise KeyboardInterrupt

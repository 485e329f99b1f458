"""For all tests: SIGTERM and SIGHUP end them as tidily as Ctrl-C does."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from scripts.lib.console import on_end


def pytest_configure(config: pytest.Config) -> None:
    """Have pytest end its fixtures, which stop what they have started."""

    def interrupt(number: int) -> None:
        if config.pluginmanager.hasplugin("dsession"):  # pytest-xdist: its workers have fixtures
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
            for worker in children.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(worker), signal.SIGTERM)
        raise KeyboardInterrupt

    on_end(interrupt)

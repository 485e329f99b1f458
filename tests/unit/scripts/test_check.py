"""Interrupting the checks."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.lib.check import SIDE_BY_SIDE
from scripts.lib.project import ROOT
from tests.helpers.waiting import wait_for

# A test whose fixture needs longer for its cleanup than subprocess grants a child after Ctrl-C.
SLOW = """
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def emulator():
    yield
    time.sleep(1)
    (HERE / "stopped").touch()


def test_something(emulator):
    (HERE / "started").touch()
    time.sleep(600)
"""


@pytest.mark.parametrize("side_by_side", [(), SIDE_BY_SIDE], ids=["alone", "side by side"])
@pytest.mark.parametrize(
    ("number", "status", "terminal"),
    [
        (signal.SIGINT, 130, True),
        (signal.SIGHUP, 129, True),
        (signal.SIGTERM, 143, False),
    ],
)
def test_an_interrupted_check_cleans_up(
    tmp_path: Path,
    number: signal.Signals,
    status: int,
    terminal: bool,
    side_by_side: tuple[str, ...],
) -> None:
    """After Ctrl-C, a closed terminal or SIGTERM, fixtures finish and no process is left.

    The first two reach all processes of a terminal, the last only one.
    """
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_slow.py").write_text(SLOW)
    program = (
        "from scripts.lib.check import python\n"
        "from scripts.lib.console import run_main\n"
        f"run_main(lambda: python('pytest', '-q', *{side_by_side!r}, "
        f"'--rootdir', {str(tmp_path)!r}, {str(tmp_path)!r}))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        # If the tests run in the background, they and their children ignore Ctrl-C by default.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            started = tmp_path / "started"
            wait_for(lambda: started.exists() or process.poll() is not None, "the test", 60)
            assert process.poll() is None
            if terminal:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
            assert process.wait(60) == status
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert (tmp_path / "stopped").exists()
    with pytest.raises(ProcessLookupError):  # no process of the session is left
        os.killpg(process.pid, 0)

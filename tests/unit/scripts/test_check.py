"""What an interrupted check leaves behind."""

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

# A test whose fixture needs longer to stop what it has started than subprocess grants a child.
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
def test_an_interrupted_check_stops_what_it_has_started(
    tmp_path: Path,
    number: signal.Signals,
    status: int,
    terminal: bool,
    side_by_side: tuple[str, ...],
) -> None:
    """Ctrl-C, a closed terminal (which signal all of a terminal's processes) and SIGTERM do so."""
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
        # Where the tests run in the background, Ctrl-C is ignored, and so it is by what they start.
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
            assert process.wait(30) == status
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert (tmp_path / "stopped").exists()
    with pytest.raises(ProcessLookupError):  # nobody of the session is left
        os.killpg(process.pid, 0)

"""LocalStack's own waiters."""

import subprocess
import sys


def test_waiters_poll_more_often_and_no_longer_than_before() -> None:
    """LocalStack's waiters poll ten times a second instead of once, for as many seconds."""
    program = """
from localstack import config
from localstack_parity import plugins
before = config.BOTO_WAITER_DELAY * config.BOTO_WAITER_MAX_ATTEMPTS
plugins.ask_often()
print(config.BOTO_WAITER_DELAY, config.BOTO_WAITER_DELAY * config.BOTO_WAITER_MAX_ATTEMPTS / before)
"""
    # In a process of its own: the setting is global and would stay changed.
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["0.1", "1.0"], done.stderr

"""How LocalStack waits for its own services."""

import subprocess
import sys


def test_localstack_asks_often_and_as_long_as_before() -> None:
    """Its waiters ask ten times a second instead of once, for as many seconds."""
    program = """
from localstack import config
from localstack_parity import plugins
before = config.BOTO_WAITER_DELAY * config.BOTO_WAITER_MAX_ATTEMPTS
plugins.ask_often()
print(config.BOTO_WAITER_DELAY, config.BOTO_WAITER_DELAY * config.BOTO_WAITER_MAX_ATTEMPTS / before)
"""
    # In a process of its own: the setting is LocalStack's for good.
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["0.1", "1.0"], done.stderr

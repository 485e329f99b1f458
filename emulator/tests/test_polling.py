"""How LocalStack waits for its own services."""

import subprocess
import sys


def test_waiters_ask_often_and_as_long_as_before() -> None:
    """Inside of LocalStack a waiter asks ten times a second, for as many seconds as boto3 does."""
    # In a process of its own: this one's waiters are those of a client of AWS.
    program = """
import boto3
from localstack_parity import polling
def seconds_and_delay():
    lambda_ = boto3.client("lambda", region_name="us-east-1")
    waiter = lambda_.get_waiter("function_updated_v2").config
    return round(waiter.max_attempts * waiter.delay), waiter.delay
before = seconds_and_delay()
polling.install()
print(before, seconds_and_delay())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "(300, 1) (300, 0.1)", done.stderr

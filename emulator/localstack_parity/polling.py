"""LocalStack waits for its own services, and so can ask often.

CloudFormation updates a function in two steps and asks after each whether it is done: at once,
then every second, as boto3 does with AWS. On a laptop an update takes milliseconds.
"""

from typing import Any

from botocore.waiter import SingleWaiterConfig  # type: ignore[import-untyped]  # it has none

DELAY_SECONDS = 0.1


def install() -> None:
    """Have boto3's waiters in this process ask every `DELAY_SECONDS`, as long as before."""
    read = SingleWaiterConfig.__init__

    def read_and_hurry(waiter: Any, config: dict[str, Any]) -> None:
        read(waiter, config)
        if waiter.delay > DELAY_SECONDS:
            waiter.max_attempts = round(waiter.max_attempts * waiter.delay / DELAY_SECONDS)
            waiter.delay = DELAY_SECONDS

    SingleWaiterConfig.__init__ = read_and_hurry

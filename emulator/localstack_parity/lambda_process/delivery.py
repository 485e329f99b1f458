"""The delivery of logs to CloudWatch Logs, in the events that they consist of.

LocalStack cuts an invocation's log at its line breaks, and gives all of it the time of delivery.
"""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from localstack.aws.connect import connect_to
from localstack.services.lambda_.invocation.logs import QUEUE_SHUTDOWN, LogHandler, LogItem
from localstack.utils.aws.client_types import ServicePrincipal

from localstack_parity.lambda_process.output import Event, now
from localstack_parity.lambda_process.report import Log

LOG = logging.getLogger(__name__)

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
_BATCH_EVENTS, _BATCH_BYTES, _EVENT_OVERHEAD = 10_000, 1_048_576, 26
_EVENT_CHARACTERS = 256 * 1024
"""A longer line becomes several events, as Lambda's agent has it."""


def install() -> None:
    """Have LocalStack deliver logs through this module."""
    LogHandler.run_log_loop = _run  # type: ignore[assignment,method-assign]


def _run(handler: LogHandler, *_: Any, **__: Any) -> None:
    """Take logs from the handler's queue until it is shut down."""
    client = connect_to.with_assumed_role(
        region_name=handler.region,
        role_arn=handler.role_arn,
        service_principal=ServicePrincipal.lambda_,  # type: ignore[arg-type]  # a constant of that class
    ).logs
    while (item := handler.log_queue.get()) is not QUEUE_SHUTDOWN:
        assert isinstance(item, LogItem)
        try:
            for batch in _batches(_events(item.logs)):
                _put(client, item, batch)
        except Exception as exc:  # One log that is lost must not cost the ones after it.
            LOG.warning("Error saving logs to group %s: %s", item.log_group, exc)


def _events(text: str) -> list[Event]:
    if isinstance(text, Log):
        return text.events
    return [Event(now(), f"{line}\n") for line in text.split("\n")]


def _batches(events: list[Event]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    # A batch is in the order of time. Lines of the service are stamped when they are written.
    for event in sorted(events, key=lambda event: event.milliseconds):
        if not event.message.strip("\n"):
            continue  # CloudWatch Logs takes no empty event.
        for start in range(0, len(event.message), _EVENT_CHARACTERS):
            message = event.message[start : start + _EVENT_CHARACTERS]
            length = len(message.encode()) + _EVENT_OVERHEAD
            if batch and (size + length > _BATCH_BYTES or len(batch) == _BATCH_EVENTS):
                yield batch
                batch, size = [], 0
            batch.append({"timestamp": event.milliseconds, "message": message})
            size += length
    if batch:
        yield batch


def _put(client: Any, item: LogItem, batch: list[dict[str, Any]]) -> None:
    stream = {"logGroupName": item.log_group, "logStreamName": item.log_stream}
    try:
        client.put_log_events(**stream, logEvents=batch)
    except client.exceptions.ResourceNotFoundException:
        with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_group(logGroupName=item.log_group)
        client.create_log_stream(**stream)
        client.put_log_events(**stream, logEvents=batch)

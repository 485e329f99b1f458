"""The delivery of logs to CloudWatch Logs, event by event.

LocalStack splits an invocation's log at its line breaks and stamps all of it with the time of
delivery. It sends a request for each invocation, in which every event is validated and serialised
twice. This module batches the logs of half a second, and writes them straight into LocalStack's
store where the stream exists and no filter has to be notified.
"""

import contextlib
import logging
from collections.abc import Iterator
from queue import Empty
from typing import Any

from localstack.aws.connect import connect_to
from localstack.services.lambda_.invocation.logs import LogHandler, LogItem
from localstack.services.plugins import SERVICE_PLUGINS
from localstack.utils.aws.arns import extract_account_id_from_arn
from localstack.utils.aws.client_types import ServicePrincipal
from moto.logs.models import logs_backends

from localstack_parity.lambda_process.output import LogEvent, now
from localstack_parity.lambda_process.report import InvocationLog

LOG = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.5
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
_BATCH_EVENTS, _BATCH_BYTES, _EVENT_OVERHEAD = 10_000, 1_048_576, 26
_EVENT_CHARACTERS = 256 * 1024
"""A longer line becomes several events, as with Lambda's own agent."""


def install() -> None:
    """Make LocalStack deliver logs through this module."""
    LogHandler.run_log_loop = _run  # type: ignore[assignment,method-assign]


def _run(handler: LogHandler, *_: Any, **__: Any) -> None:
    """Deliver logs from the handler's queue until it is shut down, including those left by then."""
    client = connect_to.with_assumed_role(
        region_name=handler.region,
        role_arn=handler.role_arn,
        service_principal=ServicePrincipal.lambda_,  # type: ignore[arg-type]  # a constant, declared as a plain string
    ).logs
    ended = False
    while not ended:
        items, ended = _waiting(handler)
        for (group, stream), events in _by_stream(items).items():
            try:
                for batch in _batches(events):
                    if not _store(handler, group, stream, batch):
                        _put(client, group, stream, batch)
            except Exception as exc:  # One lost log must not cost the logs after it.
                LOG.warning("Error saving logs to group %s: %s", group, exc)
        # A request takes longer than a short invocation: later logs share the next one.
        handler._shutdown_event.wait(INTERVAL_SECONDS)


def _waiting(handler: LogHandler) -> tuple[list[LogItem], bool]:
    """Wait for a log; return all that are queued, and whether they are the last ones."""
    items: list[LogItem] = []
    item = handler.log_queue.get()
    while isinstance(item, LogItem):
        items.append(item)
        try:
            item = handler.log_queue.get_nowait()
        except Empty:
            return items, False
    return items, True


def _by_stream(items: list[LogItem]) -> dict[tuple[str, str], list[LogEvent]]:
    streams: dict[tuple[str, str], list[LogEvent]] = {}
    for item in items:
        streams.setdefault((item.log_group, item.log_stream), []).extend(_events(item.logs))
    return streams


def _events(text: str) -> list[LogEvent]:
    if isinstance(text, InvocationLog):
        return text.events
    return [LogEvent(now(), f"{line}\n") for line in text.split("\n")]


def _batches(events: list[LogEvent]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    # A batch must be in chronological order. The service's lines are stamped when they are written.
    for event in sorted(events, key=lambda event: event.milliseconds):
        if not event.message.strip("\n"):
            continue  # CloudWatch Logs accepts no empty event.
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


def _store(handler: LogHandler, group: str, stream: str, batch: list[dict[str, Any]]) -> bool:
    """Put a batch into LocalStack's store; return False where it must be sent as a request."""
    if not SERVICE_PLUGINS.is_running("logs"):
        return False
    account = extract_account_id_from_arn(handler.role_arn)
    if account is None:
        return False
    store = logs_backends[account][handler.region]
    known = store.groups.get(group)
    if known is None or stream not in known.streams:
        return False
    if store.filters.metric_filters or known.subscription_filters:
        return False
    store.put_log_events(group, stream, batch)
    return True


def _put(client: Any, group: str, stream: str, batch: list[dict[str, Any]]) -> None:
    where = {"logGroupName": group, "logStreamName": stream}
    try:
        client.put_log_events(**where, logEvents=batch)
    except client.exceptions.ResourceNotFoundException:
        with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_group(logGroupName=group)
        client.create_log_stream(**where)
        client.put_log_events(**where, logEvents=batch)

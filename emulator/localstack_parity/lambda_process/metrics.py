"""Counts invocations and errors, and sends the counts to CloudWatch once a second.

LocalStack starts a thread and sends a request for each invocation, which costs about as much as a
short function, and keeps all those threads in a list until it shuts down.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localstack.aws.connect import connect_to
from localstack.services.lambda_.invocation import version_manager
from localstack.utils.bootstrap import is_api_enabled

LOG = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
_BATCH = 1000
"""Metrics in one request: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html"""


@dataclass(frozen=True)
class Count:
    """Identifies a count: a function's metric in one second (since 1970)."""

    account: str
    region: str
    function: str
    metric: str
    second: int


class InvocationMetrics:
    """Accumulates counts, which a thread of its own sends. Thread-safe.

    Parameters
    ----------
    send : callable
        Called with the counts of each interval that has any.
    """

    def __init__(self, send: Callable[["Counter[Count]"], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._counts: Counter[Count] = Counter()
        self._counted = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, account: str, region: str, function: str, *metrics: str) -> None:
        """Count one invocation."""
        second = int(time.time())
        with self._lock:
            for metric in metrics:
                self._counts[Count(account, region, function, metric, second)] += 1
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="lambda-metrics", daemon=True
                )
                self._thread.start()
        if not self._counted.is_set():
            self._counted.set()

    def _run(self) -> None:
        while self._counted.wait():
            time.sleep(INTERVAL_SECONDS)
            self._counted.clear()
            with self._lock:
                counts, self._counts = self._counts, Counter()
            if counts:
                self._send(counts)


def install() -> None:
    """Make LocalStack count its invocations through this module."""
    metrics = InvocationMetrics(_put)
    start_thread = version_manager.start_thread  # type: ignore[attr-defined]  # imported there, not exported

    def succeeded(function_name: str, account_id: str, region_name: str) -> None:
        metrics.add(account_id, region_name, function_name, "Invocations")

    def failed(function_name: str, account_id: str, region_name: str) -> None:
        metrics.add(account_id, region_name, function_name, "Invocations", "Errors")

    def start(method: Any, *arguments: Any, **named: Any) -> Any:
        # The call takes microseconds now, and needs no thread.
        if str(named.get("name")).startswith("record-cloudwatch-metric"):
            return method()
        return start_thread(method, *arguments, **named)

    # Names that the module imports, and mypy therefore takes for private.
    version_manager.record_cw_metric_invocation = succeeded  # type: ignore[attr-defined]  # see above
    version_manager.record_cw_metric_error = failed  # type: ignore[attr-defined]  # see above
    version_manager.start_thread = start  # type: ignore[attr-defined]  # see above


def _put(counts: "Counter[Count]") -> None:
    if not is_api_enabled("cloudwatch"):
        return
    for account, region in {(count.account, count.region) for count in counts}:
        data = [
            _datum(count, times)
            for count, times in counts.items()
            if (count.account, count.region) == (account, region)
        ]
        try:
            client = connect_to(aws_access_key_id=account, region_name=region).cloudwatch
            for batch in _batches(data):
                client.put_metric_data(Namespace="AWS/Lambda", MetricData=batch)
        except Exception as exc:  # Lost metrics of one second must not cost those of the next.
            LOG.warning("Cannot put the metrics of functions in %s %s: %s", account, region, exc)


def _batches(data: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(data), _BATCH):
        yield data[start : start + _BATCH]


def _datum(count: Count, times: int) -> dict[str, Any]:
    return {
        "MetricName": count.metric,
        "Dimensions": [{"Name": "FunctionName", "Value": count.function}],
        "Timestamp": datetime.fromtimestamp(count.second, UTC),
        "Values": [1.0],
        "Counts": [float(times)],
    }

"""Measure warm requests through the running stack.

A first, small benchmark: median and 99th percentile of one client and of four, each with one
connection that stays open. Figures of two machines, or of a busy one, say little; the ratio of two
lines of one run says more.
"""

import argparse
import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from rich.table import Table

from scripts.lib.console import OUT, run_main
from scripts.lib.project import ScriptError
from scripts.lib.stack import Stack

JSON = "application/json"
REVIEW = "A slow first half, but the ending is worth every minute of it. " * 16


class Client:
    """One connection that sends one kind of request again and again."""

    def __init__(
        self, stack: Stack, method: str, path: str, accept: str, body: bytes | None
    ) -> None:
        parts = urlsplit(stack.endpoint)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._request = (method, f"{parts.path}{path}", body)
        self._headers = {
            "x-api-key": stack.api_key,
            "Content-Type": JSON,
            "Accept": accept,
        }

    def send(self) -> float:
        """Send one request; return the seconds until its answer has been read."""
        begun = time.perf_counter()
        self._connection.request(*self._request, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        elapsed = time.perf_counter() - begun
        if answer.status != 200:
            raise ScriptError(f"{self._request[:2]} answered {answer.status}: {body[:200]!r}")
        return elapsed


def measure(make: Callable[[], Client], clients: int, requests: int) -> tuple[list[float], float]:
    """Return the seconds of each request, and of the whole run, with `clients` at once."""
    senders = [make() for _ in range(clients)]
    times: list[float] = []
    failures: list[BaseException] = []

    def run(sender: Client, count: int) -> None:
        try:
            times.extend([sender.send() for _ in range(count)])
        except (ScriptError, OSError) as exc:
            failures.append(exc)

    def together(count: int) -> float:
        threads = [threading.Thread(target=run, args=(sender, count)) for sender in senders]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - begun

    together(10)  # as many execution environments as clients, each of them warm
    times.clear()
    elapsed = together(requests // clients)
    if failures:
        raise ScriptError(f"a request failed: {failures[0]}")
    return times, elapsed


def main() -> int:
    """Run the script; see ``--help``."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Time warm requests through the stack that scripts/up has started.",
    )
    parser.add_argument(
        "--requests", type=int, default=400, help="for each line of the table, default: %(default)s"
    )
    requests = parser.parse_args().requests
    if requests < 4:
        raise ScriptError("--requests must be at least 4")
    stack = Stack.load()
    if stack is None:
        raise ScriptError("no stack is running; start one with scripts/up")
    table = Table("request", "clients", "median ms", "p99 ms", "requests/s", "ratio")
    body = json.dumps({"review_text": REVIEW}).encode()
    # As JSON, /health reads from S3 which model is current. Without an Accept header, LocalStack's
    # API Gateway asks for JSON.
    kinds: list[tuple[str, str, str, bytes | None]] = [
        ("GET", "/health", "text/plain", None),
        ("GET", "/health", JSON, None),
        ("POST", "/review", JSON, body),
    ]
    base: float | None = None
    for clients in (1, 4):
        for method, path, accept, content in kinds:
            with OUT.status(f"{method} {path}, {clients} client(s) …"):
                times, elapsed = measure(
                    lambda m=method, p=path, a=accept, c=content: Client(stack, m, p, a, c),  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
                    clients,
                    requests,
                )
            median = statistics.median(times)
            base = base or median
            table.add_row(
                f"{method} {path}{', JSON' if accept == JSON and content is None else ''}",
                str(clients),
                f"{median * 1e3:.1f}",
                f"{statistics.quantiles(times, n=100)[98] * 1e3:.1f}",
                f"{len(times) / elapsed:.0f}",
                f"{median / base:.2f}",
            )
    OUT.print(table)
    OUT.print("ratio: the median over that of the first line", style="dim")
    return 0


if __name__ == "__main__":
    run_main(main)

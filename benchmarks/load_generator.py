"""An HTTP client that puts a server under load, in a separate process.

A client in the main process would share the interpreter lock with everything else there, and one
with a thread for each connection would measure its threads. So a single process speaks HTTP/1.1
over plain sockets. It reads a `Load` as JSON from standard input and prints a `Measured` as JSON::

    python -m benchmarks.load_generator <load.json
"""

import asyncio
import base64
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from scripts.lib.project import ROOT


class LoadError(Exception):
    """A request failed, or the status of its response was not 200."""


@dataclass(frozen=True)
class Load:
    """The requests to send.

    Attributes
    ----------
    url, method, headers, body
        The request, which is always the same.
    clients : int
        Number of connections. Each sends its next request when it has received a response.
    requests : int
        Number of timed requests, of all clients together.
    warmup : int
        Number of requests that each client sends first, without timing them.
    seconds : float
        No further request is sent after this time.
    """

    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    clients: int
    requests: int
    warmup: int = 5
    seconds: float = 3.0


@dataclass(frozen=True)
class Measured:
    """Seconds of each request (`times`), and of the whole load (`elapsed`)."""

    times: list[float]
    elapsed: float


class Answer:
    """An HTTP/1.1 response, parsed as its bytes arrive (RFC 9112).

    Attributes
    ----------
    status : int
        0 until the header has arrived.
    body : bytes
        The part of the body that has arrived.
    closes : bool
        Whether the server closes the connection afterwards.
    """

    def __init__(self) -> None:
        self.status = 0
        self.body = b""
        self.closes = False
        self._rest = b""
        self._length: int | None = None  # None for chunked transfer encoding

    def feed(self, data: bytes) -> bool:
        """Parse bytes that have arrived; return whether the response is complete."""
        self._rest += data
        if not self.status and not self._read_head():
            return False
        if self._length is None:
            return self._read_chunks()
        self.body, self._rest = self.body + self._rest, b""
        return len(self.body) >= self._length

    def _read_head(self) -> bool:
        head, separator, rest = self._rest.partition(b"\r\n\r\n")
        if not separator:
            return False
        status, *lines = head.decode("latin-1").split("\r\n")
        fields = {
            name.strip().lower(): value.strip().lower()
            for name, _, value in (line.partition(":") for line in lines)
        }
        self.status, self._rest = int(status.split(" ")[1]), rest
        self.closes = fields.get("connection") == "close"
        if fields.get("transfer-encoding") != "chunked":
            self._length = int(fields.get("content-length", "0"))
        return True

    def _read_chunks(self) -> bool:
        while True:
            size, separator, rest = self._rest.partition(b"\r\n")
            length = int(size.split(b";")[0], 16) if separator else 0
            if not separator or len(rest) < length + 2:
                return False
            self.body, self._rest = self.body + rest[:length], rest[length + 2 :]
            if length == 0:
                return True


class _Connection(asyncio.Protocol):
    """Sends one request at a time and returns its response."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer = Answer()
        self._done: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer.feed(data) and self._done and not self._done.done():
            self._done.set_result(self._answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._done and not self._done.done():
            self._done.set_exception(LoadError(f"the server closed the connection: {exc}"))

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._answer.closes

    def ask(self, request: bytes) -> "asyncio.Future[Answer]":
        assert self._transport
        self._answer = Answer()
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._done

    def close(self) -> None:
        if self._transport:
            self._transport.close()


def request_bytes(load: Load) -> bytes:
    """Return the bytes of the request."""
    parts = urlsplit(load.url)
    fields = {"Host": parts.netloc, **load.headers, "Content-Length": str(len(load.body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{load.method} {parts.path or '/'} HTTP/1.1\r\n{head}\r\n".encode() + load.body


async def run(load: Load) -> Measured:
    """Send the requests.

    Raises
    ------
    LoadError, OSError
        A request failed. The other clients are cancelled.
    """
    parts = urlsplit(load.url)
    host, port = parts.hostname or "", parts.port or 80
    request = request_bytes(load)
    loop = asyncio.get_running_loop()
    times: list[float] = []
    left = load.requests
    warm = asyncio.Barrier(load.clients)

    async def client() -> float:
        nonlocal left
        connection = _Connection()

        async def send() -> None:
            nonlocal connection
            if not connection.open:
                _, connection = await loop.create_connection(_Connection, host, port)
            answer = await connection.ask(request)
            if answer.status != 200:
                raise LoadError(f"status {answer.status}: {answer.body[:300]!r}")

        for _ in range(load.warmup):
            await send()
        await warm.wait()
        first = time.perf_counter()
        while left > 0 and time.perf_counter() - first < load.seconds:
            left -= 1
            started = time.perf_counter()
            await send()
            times.append(time.perf_counter() - started)
        connection.close()
        return first

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(client()) for _ in range(load.clients)]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return Measured(times, time.perf_counter() - min(task.result() for task in tasks))


def measure(load: Load) -> Measured:
    """Run a load in a separate process.

    Raises
    ------
    LoadError
        A request failed. The message has the reason.
    """
    described = {**asdict(load), "body": base64.b64encode(load.body).decode()}
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.load_generator"],
        cwd=ROOT,
        input=json.dumps(described),
        capture_output=True,
        text=True,
        timeout=60 + load.seconds,
        check=False,
        start_new_session=True,  # so that only the caller gets Ctrl-C
    )
    if result.returncode:
        raise LoadError(result.stderr.strip()[-500:] or f"exit status {result.returncode}")
    return Measured(**json.loads(result.stdout))


def main() -> int:
    """Run the load from standard input."""
    described = json.load(sys.stdin)
    load = Load(**{**described, "body": base64.b64decode(described["body"])})
    try:
        measured = asyncio.run(run(load))
    except (LoadError, OSError) as exc:
        print(exc, file=sys.stderr)
        return 1
    print(json.dumps(asdict(measured)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

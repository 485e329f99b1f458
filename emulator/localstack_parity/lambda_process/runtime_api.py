"""The Lambda Runtime API, version 2018-06-01, for one execution environment.

The function's process requests the next invocation, which blocks until there is one, and posts a
response or an error (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). Each process
has a server of its own: a new process gets a new server at the same address, so that a connection
left over from the old process can never receive an invocation.
"""

import contextlib
import random
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO

from localstack_parity.http1 import MAX_HEAD_BYTES, Head, UnsupportedRequestError, parse_head
from localstack_parity.lambda_process import report

PORT = 9001
_PREFIX = "/2018-06-01/runtime"


@dataclass(frozen=True)
class Invocation:
    """What the process gets when it requests the next invocation."""

    request_id: str
    payload: bytes
    function_arn: str
    trace_id: str
    deadline_ms: int


@dataclass(frozen=True)
class Answer:
    """What the process answered: `payload` is the function's response, or its error as JSON."""

    payload: bytes
    is_error: bool


class RuntimeApi:
    """Hands one invocation at a time to one process.

    A caller can wait for the process's request for work (it has initialised, or has finished the
    last invocation), for the answer to an invocation, and for the end of the process, which
    `FunctionProcess` reports through `close`. An initialisation error is kept in `init_error`.

    Parameters
    ----------
    max_response_bytes : int
        Largest response; a larger one is refused with 413.
    host : str, optional
        The address to listen on; a free one by default.

    Attributes
    ----------
    host, address : str
        The address it listens on, without and with the port.
    """

    def __init__(self, max_response_bytes: int, host: str | None = None) -> None:
        self.max_response_bytes = max_response_bytes
        self._changed = threading.Condition()
        self._closed = False
        self._polling = False
        self._init_error: bytes | None = None
        self._next: Invocation | None = None
        self._running: str | None = None
        self._answer: Answer | None = None
        listener = _bind(host)
        self._server = _Server(self, listener)
        self.host = str(listener.getsockname()[0])
        self.address = f"{self.host}:{PORT}"
        threading.Thread(
            target=self._server.run, name=f"runtime-api-{self.address}", daemon=True
        ).start()

    def wait_until_ready(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds; return whether the process is requesting work."""
        with self._changed:
            self._changed.wait_for(lambda: self._polling or self._closed, timeout)
            return self._polling and not self._closed

    @property
    def init_error(self) -> bytes | None:
        """The payload that the process posted as its initialisation error, if any."""
        with self._changed:
            return self._init_error

    def invoke(self, invocation: Invocation, timeout: float) -> Answer | None:
        """Pass an invocation to the process and wait at most `timeout` seconds for its answer.

        Returns
        -------
        Answer or None
            None if the time was up or the process ended; `closed` tells which.
        """
        with self._changed:
            self._next, self._answer = invocation, None
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._answer or self._closed, timeout)
            self._running = self._next = None
            return self._answer

    @property
    def closed(self) -> bool:
        """Whether `close` has been called, as it is when the process ends."""
        with self._changed:
            return self._closed

    def close(self) -> None:
        """Answer no more requests, and wake all waiting threads."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._server.close()

    # Called by the server.

    def next_invocation(self) -> Invocation | None:
        """Wait for an invocation; return None if no more will come."""
        with self._changed:
            self._polling = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._next or self._closed)
            if self._closed or self._next is None:
                return None
            invocation, self._next = self._next, None
            self._polling = False
            self._running = invocation.request_id
            return invocation

    def complete(self, request_id: str, answer: Answer) -> bool:
        """Store an answer; return False if that invocation is not, or no longer, running."""
        with self._changed:
            if request_id != self._running or self._answer is not None:
                return False
            self._answer = answer
            self._changed.notify_all()
            return True

    def fail_init(self, payload: bytes) -> None:
        """Store the process's initialisation error. The process ends by itself after that."""
        with self._changed:
            self._init_error = payload


class _Server:
    """Accepts the process's connections, and serves each in a thread."""

    def __init__(self, api: RuntimeApi, listener: socket.socket) -> None:
        self._api = api
        self._listener = listener

    def run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
        self._listener.close()

    def _serve(self, connection: socket.socket) -> None:
        # These errors usually mean that the process was killed with a connection open.
        with contextlib.suppress(OSError, ValueError), connection:
            stream = connection.makefile("rb")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (content := _read_head(stream)) is not None:
                try:
                    head = parse_head(content)
                    answer = self._answer(head, self._body(head, stream, connection))
                except UnsupportedRequestError as exc:
                    connection.sendall(_response(400, report.error("InvalidRequest", str(exc))))
                    return
                if answer is None:
                    return
                connection.sendall(answer)
                if head.closes():
                    return

    def _body(self, head: Head, stream: BinaryIO, connection: socket.socket) -> bytes:
        """Read a body; of a response that is too large, only one byte more than the limit."""
        if any(value.lower() == "100-continue" for value in head.values("expect")):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        limit = self._api.max_response_bytes if head.target.endswith("/response") else sys.maxsize
        body = bytearray()
        for part in _body_parts(head, stream):
            body += part[: limit + 1 - len(body)]
        return bytes(body)

    def _answer(self, head: Head, body: bytes) -> bytes | None:
        """Return the response; None to close the connection."""
        parts = head.target.removeprefix(f"{_PREFIX}/").split("/")
        match head.method, parts:
            case "GET", ["invocation", "next"]:
                invocation = self._api.next_invocation()
                if invocation is None:
                    return None
                return _response(
                    200,
                    invocation.payload,
                    f"Lambda-Runtime-Aws-Request-Id: {invocation.request_id}\r\n"
                    f"Lambda-Runtime-Deadline-Ms: {invocation.deadline_ms}\r\n"
                    f"Lambda-Runtime-Invoked-Function-Arn: {invocation.function_arn}\r\n"
                    f"Lambda-Runtime-Trace-Id: {invocation.trace_id}\r\n",
                )
            case "POST", ["init", "error"]:
                self._api.fail_init(body)
                return _ACCEPTED
            case "POST", ["invocation", request_id, "response"]:
                limit = self._api.max_response_bytes
                if len(body) > limit:
                    refusal = report.response_too_large(limit)
                    self._api.complete(request_id, Answer(refusal, True))
                    return _response(413, b'{"errorType":"RequestEntityTooLarge"}')
                return self._completed(request_id, Answer(body, False))
            case "POST", ["invocation", request_id, "error"]:
                return self._completed(request_id, Answer(body, True))
        return _response(404)

    def _completed(self, request_id: str, answer: Answer) -> bytes:
        if self._api.complete(request_id, answer):
            return _ACCEPTED
        return _response(400, b'{"errorType":"InvalidRequestID"}')


def _read_head(stream: BinaryIO) -> bytes | None:
    """Return a request's head; None if the connection ends first."""
    lines: list[bytes] = []
    left = MAX_HEAD_BYTES
    while (line := stream.readline(left)) != b"\r\n" or not lines:
        left -= len(line)
        if not line or left <= 0:
            return None
        if line != b"\r\n":
            lines.append(line)
    return b"".join(lines).removesuffix(b"\r\n")


def _body_parts(head: Head, stream: BinaryIO) -> Iterator[bytes]:
    if not head.chunked():
        yield from _parts(stream, head.content_length())
        return
    while size := int(stream.readline().split(b";")[0], 16):
        yield from _parts(stream, size)
        stream.readline()
    while stream.readline().strip():
        pass


def _parts(stream: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0:
        part = stream.read(min(size, 1024 * 1024))
        if not part:
            raise ConnectionError("the process closed the connection in the middle of a request")
        yield part
        size -= len(part)


def _response(status: int, body: bytes = b"", fields: str = "") -> bytes:
    # Head and body are sent in one packet. In two, Nagle's algorithm and the peer's delayed
    # acknowledgement would add 40 ms to every exchange.
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{fields}\r\n"
    )
    return head.encode("latin-1") + body


_ACCEPTED = _response(202, b'{"status":"OK"}')


def _bind(wanted: str | None) -> socket.socket:
    """Bind to an unused address: on Linux, all of 127.0.0.0/8 is this machine."""
    for _ in range(1 if wanted else 100):
        host = wanted or _random_host()
        try:
            return socket.create_server((host, PORT))
        except OSError as exc:
            failure = exc
    raise RuntimeError(f"no free 127.x.y.z:{PORT} for a Runtime API: {failure}") from failure


def _random_host() -> str:
    return f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"  # noqa: S311 - an address, not a secret

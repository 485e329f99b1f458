"""The Lambda Runtime API, version 2018-06-01, for one execution environment.

The function's process asks for the next invocation, which blocks until there is one, and posts a
response or an error (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). One server
serves one process: a process that is started anew gets a new one, at the same address, so that a
connection left over from the old process can never take an invocation.
"""

import random
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from localstack_parity.lambda_process import report

PORT = 9001
_PREFIX = "/2018-06-01/runtime"


@dataclass(frozen=True)
class Invocation:
    """What the process gets when it asks for the next invocation."""

    request_id: str
    payload: bytes
    function_arn: str
    trace_id: str
    deadline_ms: int


@dataclass(frozen=True)
class Answer:
    """What the process answered; `payload` is the function's own, or its error as JSON."""

    payload: bytes
    is_error: bool


class RuntimeApi:
    """Hands one invocation at a time to one process.

    The states a caller can wait for are the process's request for work (it has initialised, or is
    done with the last invocation), an initialisation error, the answer to an invocation, and the
    end of the process, which whoever watches the process reports through `close`.

    Parameters
    ----------
    max_response_bytes : int
        Largest response; a larger one is refused with 413.
    host : str, optional
        Address to listen at; one that is free if not given.

    Attributes
    ----------
    host, address : str
        Where it listens, and with the port.
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
        self._server = _bind(self, host)
        self.host = str(self._server.server_address[0])
        self.address = f"{self.host}:{PORT}"
        threading.Thread(
            target=self._server.serve_forever, name=f"runtime-api-{self.address}", daemon=True
        ).start()

    def wait_until_ready(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds; return whether the process is asking for work."""
        with self._changed:
            self._changed.wait_for(lambda: self._polling or self._closed, timeout)
            return self._polling and not self._closed

    @property
    def init_error(self) -> bytes | None:
        """The payload that the process posted as its initialisation error, if any."""
        with self._changed:
            return self._init_error

    def invoke(self, invocation: Invocation, timeout: float) -> Answer | None:
        """Hand over an invocation and wait at most `timeout` seconds for its answer.

        Returns
        -------
        Answer or None
            None when the time was up or the process ended; `closed` tells which.
        """
        with self._changed:
            self._next, self._answer = invocation, None
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._answer or self._closed, timeout)
            self._running = self._next = None
            return self._answer

    @property
    def closed(self) -> bool:
        """Whether the process has ended, or `close` was called for another reason."""
        with self._changed:
            return self._closed

    def close(self) -> None:
        """Answer no more requests and wake everyone who waits."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    # What the HTTP handler calls.

    def next_invocation(self) -> Invocation | None:
        """Wait for an invocation; None when there will be none any more."""
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
        """Take an answer; False when that invocation is not running (any more)."""
        with self._changed:
            if request_id != self._running or self._answer is not None:
                return False
            self._answer = answer
            self._changed.notify_all()
            return True

    def fail_init(self, payload: bytes) -> None:
        """Take the process's initialisation error. The process ends itself after that."""
        with self._changed:
            self._init_error = payload


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: RuntimeApi

    def server_bind(self) -> None:
        # HTTPServer's own looks the address up in DNS, which can take seconds.
        socket_address = self.server_address
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(socket_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), PORT

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: the usual cause is a process that was killed while it had a connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one packet. In two, Nagle's algorithm and the peer's delayed
    # acknowledgement add 40 ms to every exchange.
    wbufsize = 1024 * 1024
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        if self.path != f"{_PREFIX}/invocation/next":
            self._reply(404)
            return
        invocation = self.server.api.next_invocation()
        if invocation is None:
            self.close_connection = True
            return
        self._reply(
            200,
            invocation.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
            },
        )

    def do_POST(self) -> None:
        body = self._body()
        parts = self.path.removeprefix(f"{_PREFIX}/").split("/")
        match parts:
            case ["init", "error"]:
                self.server.api.fail_init(body)
                self._accepted(True)
            case ["invocation", request_id, "response"]:
                limit = self.server.api.max_response_bytes
                if len(body) > limit:
                    refusal = report.response_too_large(limit)
                    self.server.api.complete(request_id, Answer(refusal, True))
                    self._reply(413, b'{"errorType":"RequestEntityTooLarge"}')
                else:
                    self._accepted(self.server.api.complete(request_id, Answer(body, False)))
            case ["invocation", request_id, "error"]:
                self._accepted(self.server.api.complete(request_id, Answer(body, True)))
            case _:
                self._reply(404)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return bytes(body)

    def _accepted(self, known: bool) -> None:
        if known:
            self._reply(202, b'{"status":"OK"}')
        else:
            self._reply(400, b'{"errorType":"InvalidRequestID"}')

    def _reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no access log."""


def _bind(api: RuntimeApi, wanted: str | None) -> _Server:
    """Bind to an address of its own: the whole of 127.0.0.0/8 is this machine on Linux."""
    for _ in range(1 if wanted else 100):
        host = wanted or _random_host()
        try:
            server = _Server((host, PORT), _Handler)
        except OSError as exc:
            failure = exc
            continue
        server.api = api
        return server
    raise RuntimeError(f"no free 127.x.y.z:{PORT} for a Runtime API: {failure}") from failure


def _random_host() -> str:
    return f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"  # noqa: S311 - an address, not a secret

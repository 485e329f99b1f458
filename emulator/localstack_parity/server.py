"""LocalStack's server, with a fast path for requests to deployed APIs.

LocalStack serves every request with Twisted: the event loop reads it, a thread handles it, and the
event loop writes the response. Each step waits for the interpreter lock, and the head is parsed by
code that was written for emails. Here every connection has a thread of its own, which peeks at a
request without consuming it. If it is a plain request to a deployed API, that thread handles it,
through the same chain of handlers. At the first request that is anything else, such as a boto3
call, a TLS handshake or a request that this module does not understand, the thread hands the
connection over to Twisted for good, which reads the request as it was sent.

``GATEWAY_SERVER=twisted`` switches back to LocalStack's own server.
"""

import contextlib
import logging
import socket
import threading
import time
from email.utils import formatdate
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from localstack import config
from localstack.aws.serving.twisted import TLSMultiplexerFactory
from localstack.runtime.server.twisted import TwistedRuntimeServer
from rolo.gateway import Gateway
from rolo.gateway.wsgi import WsgiGateway
from rolo.serving.twisted import TwistedGateway
from twisted.internet import reactor, ssl
from twisted.internet.protocol import Factory

from localstack_parity.http1 import (
    END_OF_HEAD,
    MAX_HEAD_BYTES,
    Head,
    UnsupportedRequestError,
    parse_head,
)

LOG = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
"""How long a connection may be idle; Twisted's limit is the same."""
_LATE_HEAD_SECONDS = 0.01
_MAX_BODY_BYTES = 16 * 1024 * 1024  # more than API Gateway accepts; Twisted spools longer bodies
_UNSUPPORTED_FIELDS = ("upgrade", "expect", "transfer-encoding")
_SHUTDOWN_SECONDS = 10.0


class Server(TwistedRuntimeServer):
    """Accepts all connections, serves deployed APIs, and leaves all other requests to Twisted."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # LocalStack does not annotate it
        self._listeners: list[socket.socket] = []
        self._busy: set[threading.Thread] = set()
        self._closing = False

    def register(
        self,
        gateway: Gateway,
        listen: list[config.HostAndPort],
        ssl_creds: tuple[str, str] | None = None,
    ) -> None:
        """Listen at the given addresses only; Twisted would listen at all of the machine's."""
        application = WsgiGateway(gateway)
        factory = _twisted_factory(gateway, ssl_creds)
        reactor.callWhenRunning(factory.doStart)  # type: ignore[attr-defined]  # mypy sees a module, not the reactor
        for address in listen:
            ipv6 = config.is_ipv6_address(address.host)
            listener = socket.create_server(
                (address.host, address.port),
                family=socket.AF_INET6 if ipv6 else socket.AF_INET,
                backlog=512,
            )
            self._listeners.append(listener)
            threading.Thread(
                target=self._accept, args=(listener, application, factory), daemon=True
            ).start()

    def shutdown(self) -> None:
        """Stop accepting connections, and give running requests a few seconds to finish."""
        self._closing = True
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # interrupts `accept`
            listener.close()
        deadline = time.monotonic() + _SHUTDOWN_SECONDS
        while self._busy and time.monotonic() < deadline:
            time.sleep(0.02)
        super().shutdown()  # type: ignore[no-untyped-call]  # LocalStack does not annotate it

    def _accept(self, listener: socket.socket, application: WsgiGateway, factory: Factory) -> None:
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                if self._closing:
                    return
                LOG.warning("cannot accept a connection", exc_info=True)
                time.sleep(0.1)  # the cause may pass, such as a lack of file descriptors
                continue
            threading.Thread(
                target=self._serve,
                args=(connection, address, application, factory),
                name=f"gateway-{address[1]}",
                daemon=True,
            ).start()

    def _serve(
        self, connection: socket.socket, address: Any, application: WsgiGateway, factory: Factory
    ) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(IDLE_SECONDS)
            while content := _peek_head(connection):
                head = _api_request(content)
                if head is None:
                    _hand_over(connection, factory)
                    return
                self._busy.add(threading.current_thread())
                try:
                    _receive(connection, len(content) + len(END_OF_HEAD))
                    body = _receive(connection, head.content_length())
                    environ = _environ(head, body, connection.getsockname(), address)
                    response, closes = _respond(application, environ, head)
                    connection.sendall(response)
                finally:
                    self._busy.discard(threading.current_thread())
                if closes:
                    break
        except OSError:  # the client has disconnected, or was idle for too long
            pass
        connection.close()


def _twisted_factory(gateway: Gateway, ssl_creds: tuple[str, str] | None) -> Factory:
    """Return the protocol factory that `TwistedRuntimeServer.register` would listen with."""
    site: Factory = TwistedGateway(gateway)
    if not ssl_creds:
        return site
    certificate, key = ssl_creds
    context = ssl.DefaultOpenSSLContextFactory(key, certificate)  # type: ignore[no-untyped-call]  # Twisted does not annotate it
    context.getContext().use_certificate_chain_file(certificate)  # type: ignore[no-untyped-call]  # Twisted does not annotate it
    return TLSMultiplexerFactory(context, False, site)  # type: ignore[no-untyped-call]  # LocalStack does not annotate it


def _hand_over(connection: socket.socket, factory: Factory) -> None:
    """Hand a connection over to Twisted's event loop."""

    def adopt() -> None:
        with connection:  # Twisted duplicates the file descriptor
            reactor.adoptStreamConnection(connection.fileno(), connection.family, factory)  # type: ignore[attr-defined]  # mypy sees a module, not the reactor

    reactor.callFromThread(adopt)  # type: ignore[attr-defined]  # mypy sees a module, not the reactor


def _peek_head(connection: socket.socket) -> bytes:
    """Wait for a request; return its head, or as much of it as has arrived, without consuming it.

    The result is empty if the client has closed the connection.
    """
    deadline = 0.0
    while content := connection.recv(MAX_HEAD_BYTES, socket.MSG_PEEK):
        head, end, _ = content.partition(END_OF_HEAD)
        if end or not content[:1].isupper() or len(content) == MAX_HEAD_BYTES:
            return head
        # Clients send a head in one piece; Twisted serves those that do not.
        deadline = deadline or time.monotonic() + _LATE_HEAD_SECONDS
        if time.monotonic() > deadline:
            return head
        time.sleep(0.001)
    return b""


def _api_request(content: bytes) -> Head | None:
    """Return the head of a request that this module can handle, or None for any other request."""
    try:
        head = parse_head(content)
        length = head.content_length()
    except UnsupportedRequestError:
        return None
    hosts = head.values("host")
    if len(hosts) != 1 or length > _MAX_BODY_BYTES or any(map(head.values, _UNSUPPORTED_FIELDS)):
        return None
    target = head.target
    is_api = (
        target.startswith("/_aws/execute-api/")
        or (target.startswith("/restapis/") and "/_user_request_" in target)
        or (target.startswith("/") and ".execute-api." in hosts[0])
    )
    return head if is_api else None


def _receive(connection: socket.socket, size: int) -> bytes:
    """Receive exactly that many bytes.

    Raises
    ------
    OSError
        If the connection fails or the client closes it first.
    """
    received = bytearray()
    while len(received) < size:
        part = connection.recv(min(size - len(received), 1024 * 1024))
        if not part:
            raise ConnectionError("the client closed the connection in the middle of a request")
        received += part
    return bytes(received)


def _environ(head: Head, body: bytes, server: Any, client: Any) -> dict[str, Any]:
    """Return the WSGI environment that rolo creates with Twisted, see `rolo.serving.twisted`."""
    path, _, query = head.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": head.target,
        "RAW_URI": head.target,
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "rolo.headers": _grouped(head.fields),
    }
    for name, value in head.fields:
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_CONTENT_LENGTH", None)
    return environ


def _grouped(fields: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Group fields by name, ignoring case; each group gets the spelling that was sent last."""
    groups: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        names[key] = name
        groups.setdefault(key, []).append(value)
    return [
        (names[key].encode("latin-1"), value.encode("latin-1"))
        for key, values in groups.items()
        for value in values
    ]


def _respond(application: WsgiGateway, environ: dict[str, Any], head: Head) -> tuple[bytes, bool]:
    """Run LocalStack's handlers; return the response, and whether to close the connection."""
    started: list[Any] = []

    def start_response(status: str, fields: list[tuple[str, str]], error: Any = None) -> Any:
        started[:] = status, fields

    parts = application(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        if close := getattr(parts, "close", None):
            close()
    status, fields = started
    names = {name.lower(): value for name, value in fields}
    bodiless = head.method == "HEAD" or status[:3] in ("204", "304") or status[:1] == "1"
    lines = [f"HTTP/1.1 {status}"]
    lines += [f"{name}: {value}" for name, value in fields if name.lower() != "content-length"]
    if not bodiless:
        lines.append(f"Content-Length: {len(body)}")
    elif head.method == "HEAD" and "content-length" in names:
        lines.append(f"Content-Length: {names['content-length']}")
    if "date" not in names:
        lines.append(f"Date: {formatdate(usegmt=True)}")
    closes = names.get("connection", "").lower() == "close"
    if head.closes() and not closes:
        closes = True
        lines.append("Connection: close")
    top = "\r\n".join(lines).encode("latin-1") + END_OF_HEAD
    return (top if bodiless else top + body), closes

"""A proxy in front of the emulator, which lets a test break S3."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from scripts.lib import emulator as emulators

_HEAD = re.compile(rb"^(GET|PUT|HEAD) /\S*?([^/\s?]+)(?:\?\S*)? HTTP/1\.1")


@dataclass
class Proxy:
    """Forwards bytes in both directions until a test stops it.

    Attributes
    ----------
    port : int
        Port of the proxy at 127.0.0.1.
    open : Event
        While it is cleared, nothing is forwarded, and every client waits.
    refuse : Event
        While it is set, connections end immediately, as if the server were down.
    on_bytes : callable, optional
        Called with the method, the last part of the request's path, and the number of bytes that
        are about to be forwarded. For an answer the method is ``answer``, or ``continue`` if it
        only requests the body. If it returns False, nothing more is forwarded.
    """

    port: int = 0
    open: threading.Event = field(default_factory=threading.Event)
    refuse: threading.Event = field(default_factory=threading.Event)
    on_bytes: Callable[[str, str, int], bool] | None = None

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    """Run a proxy in front of 127.0.0.1:`port`."""
    if emulators.host() != "127.0.0.1":
        pytest.skip("the proxy and LocalStack have to be on one machine, and are in two containers")
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    found = Proxy(server.getsockname()[1])
    found.open.set()
    closed = threading.Event()

    def serve() -> None:
        while not closed.is_set():
            try:
                client, _ = server.accept()
            except OSError:
                return
            if found.refuse.is_set():
                client.close()
                continue
            upstream = socket.create_connection(("127.0.0.1", port))
            sent = ["", ""]
            for source, target, request in ((client, upstream, True), (upstream, client, False)):
                threading.Thread(
                    target=_pass_on, args=(found, source, target, sent, request), daemon=True
                ).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield found
    finally:
        closed.set()
        found.open.set()
        server.close()


def _pass_on(
    by: Proxy, source: socket.socket, target: socket.socket, sent: list[str], request: bool
) -> None:
    size = 0
    with suppress(OSError):
        while chunk := source.recv(16 * 1024):
            by.open.wait()
            if by.refuse.is_set():
                break
            if request and (head := _HEAD.match(chunk)):
                sent[:] = [head[1].decode(), head[2].decode()]
                size = 0
            size += len(chunk)
            kind = "continue" if chunk.startswith(b"HTTP/1.1 100") else "answer"
            if by.on_bytes and not by.on_bytes(sent[0] if request else kind, sent[1], size):
                break
            target.sendall(chunk)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)

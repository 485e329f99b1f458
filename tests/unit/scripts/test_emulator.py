"""Ports without an emulator."""

import socket
import threading

import pytest

from scripts.lib import emulator as emulators
from scripts.lib import record
from scripts.lib.emulator import Emulator
from scripts.lib.project import ScriptError
from scripts.lib.up import stopped_on_failure


def test_a_server_without_http_is_not_an_emulator() -> None:
    """If another program listens at the port, no emulator is found there."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            accepted, _ = server.accept()
            with accepted:
                accepted.recv(1024)
                accepted.sendall(b"220 mail.example.com ESMTP\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        assert emulators.find(server.getsockname()[1]) is None
        thread.join(10)


def test_an_emulator_that_has_exited_is_reported() -> None:
    """Whatever is requested from it, the error is one sentence and no traceback."""
    port = emulators.free_port()
    ended = Emulator(0, port, "process")
    with pytest.raises(ScriptError, match=f"at port {port} no longer answers"):
        emulators.has_namespaces(ended)
    with (
        pytest.raises(ScriptError, match=f"at port {port} no longer answers"),
        stopped_on_failure(port),
    ):
        record.deployed(ended)

"""Emulators that are none, or not any more."""

import socket
import threading

import pytest

from scripts.lib import emulator as emulators
from scripts.lib import record
from scripts.lib.emulator import Emulator
from scripts.lib.project import ScriptError
from scripts.lib.up import undone_on_failure


def test_a_server_that_speaks_no_http_is_no_emulator() -> None:
    """Whatever listens at the port, `up` says that it is used by another program."""
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


def test_an_emulator_that_has_ended_is_said_in_a_sentence() -> None:
    """Whichever question it would have been asked next, a person reads no traceback."""
    port = emulators.free_port()
    ended = Emulator(0, port, "process")
    with pytest.raises(ScriptError, match=f"at port {port} does not answer any more"):
        emulators.has_namespaces(ended)
    with (
        pytest.raises(ScriptError, match=f"at port {port} does not answer any more"),
        undone_on_failure(port),
    ):
        record.deployed(ended)

"""FastAPI with uvicorn, the usual way to serve a model over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.contender import Contender, Server
from benchmarks.peers.environment import SERVICES, install, serving, version
from benchmarks.subject import Subject
from scripts.lib.emulator import free_port

NAME = "fastapi"


def _install() -> str:
    install(NAME)
    return version(NAME, "fastapi", "uvicorn", "scikit-learn")


@contextmanager
def _start(subject: Subject) -> Iterator[Server]:
    port = free_port()
    command = [
        str(install(NAME) / "uvicorn"), "app:app", "--host", "127.0.0.1", "--port", str(port),
        "--no-access-log",
    ]  # fmt: skip
    server = Server(f"http://127.0.0.1:{port}/review", 0, 0.0)
    with serving(
        NAME, command, server, cwd=SERVICES / NAME, environment={"MODEL": str(subject.pickle)}
    ) as running:
        yield running


PEER = Contender(
    "FastAPI", _install, _start, "one uvicorn worker, the pipeline loaded by joblib, no key"
)

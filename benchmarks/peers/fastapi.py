"""FastAPI behind uvicorn: the usual way to put a model behind HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.contender import Contender, Target
from benchmarks.model import Model
from benchmarks.peers.environment import SERVICES, install, serving, version
from scripts.lib.emulator import free_port

NAME = "fastapi"


def _install() -> str:
    install(NAME)
    return version(NAME, "fastapi", "uvicorn", "scikit-learn")


@contextmanager
def _start(model: Model) -> Iterator[Target]:
    port = free_port()
    command = [
        str(install(NAME) / "uvicorn"), "app:app", "--host", "127.0.0.1", "--port", str(port),
        "--no-access-log",
    ]  # fmt: skip
    target = Target(f"http://127.0.0.1:{port}/review", 0, 0.0)
    with serving(
        NAME, command, target, cwd=SERVICES / NAME, environment={"MODEL": str(model.pickle)}
    ) as running:
        yield running


PEER = Contender(
    "FastAPI", _install, _start, "one uvicorn worker, the pipeline loaded by joblib, no key"
)

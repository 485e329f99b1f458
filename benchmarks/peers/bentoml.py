"""BentoML, with a service of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.contender import Contender, Server
from benchmarks.peers.environment import SERVICES, folder, install, serving, version
from benchmarks.subject import Subject
from scripts.lib.emulator import free_port

NAME = "bentoml"


def _install() -> str:
    install(NAME)
    return version(NAME, "bentoml", "scikit-learn")


@contextmanager
def _start(subject: Subject) -> Iterator[Server]:
    port = free_port()
    command = [
        str(install(NAME) / "bentoml"), "serve", "service:Reviews",
        "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    server = Server(f"http://127.0.0.1:{port}/review", 0, 0.0)
    with folder(NAME) as home:
        environment = {
            "MODEL": str(subject.pickle),
            "BENTOML_HOME": str(home),
            "BENTOML_DO_NOT_TRACK": "True",
        }
        cwd = SERVICES / NAME
        with serving(NAME, command, server, cwd=cwd, environment=environment) as running:
            yield running


PEER = Contender(
    "BentoML", _install, _start, "one worker, its default, the pipeline loaded by joblib"
)

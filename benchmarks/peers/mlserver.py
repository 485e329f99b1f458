"""MLServer with its runtime for scikit-learn, over the V2 inference protocol."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.contender import Contender, Server
from benchmarks.peers.environment import folder, install, serving, version
from benchmarks.subject import Subject
from scripts.lib.emulator import free_port

NAME = "mlserver"


def _install() -> str:
    install(NAME)
    return version(NAME, "mlserver", "mlserver-sklearn", "scikit-learn")


def _body(review: str) -> bytes:
    described = {"name": "review", "shape": [1], "datatype": "BYTES", "data": [review]}
    return json.dumps({"parameters": {"content_type": "str"}, "inputs": [described]}).encode()


@contextmanager
def _start(subject: Subject) -> Iterator[Server]:
    port = free_port()
    settings = {
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": free_port(),
        "metrics_port": free_port(),
        "parallel_workers": 0,  # in the server's own process, which is faster for a small model
        "debug": False,
    }
    served = {
        "name": "review",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(subject.pickle)},
    }
    server = Server(
        f"http://127.0.0.1:{port}/v2/models/review/infer",
        0,
        0.0,
        _body,
        lambda answer: int(answer["outputs"][0]["data"][0]),
    )
    command = [str(install(NAME) / "mlserver"), "start", "."]
    with folder(NAME) as cwd:
        (cwd / "settings.json").write_text(json.dumps(settings))
        (cwd / "model-settings.json").write_text(json.dumps(served))
        with serving(NAME, command, server, cwd=cwd, environment={}) as running:
            yield running


PEER = Contender("MLServer", _install, _start, "no parallel workers, its runtime for scikit-learn")

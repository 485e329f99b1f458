"""MiniStack, an emulator of AWS: this project's stack, deployed to it as it is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import own
from benchmarks.contender import Contender, Target
from benchmarks.model import Model
from benchmarks.peers.environment import folder, install, version
from benchmarks.processes import fetch, server, wait_until_answers
from scripts.lib.emulator import Emulator, free_port

NAME = "ministack"


def _install() -> str:
    own.install()
    install(NAME)
    return version(NAME, "ministack")


@contextmanager
def _start(model: Model) -> Iterator[Target]:
    port = free_port()
    environment = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "LAMBDA_EXECUTOR": "local",
    }
    begun = time.monotonic()
    with (
        folder(NAME) as run,
        server(
            NAME, [str(install(NAME) / "ministack")], cwd=run,
            **environment, TMPDIR=str(run), HOME=str(run),
        ) as process,
    ):  # fmt: skip
        emulator = Emulator(process.pid, port, NAME)
        health = f"{emulator.url}/_ministack/health"
        wait_until_answers(NAME, process, lambda: fetch(health, "GET", {}, b""))
        own.copy_sources()
        stack = own.deploy(emulator)
        own.publish(model.folder, emulator)
        yield own.target(stack, begun)


PEER = Contender(
    "MiniStack",
    _install,
    _start,
    "API Gateway, Lambda and S3, emulated: the very stack of this project, by `sls deploy`",
)

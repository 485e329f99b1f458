"""MiniStack, an emulator of AWS, with this project's unchanged stack."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import own
from benchmarks.contender import Contender, Server
from benchmarks.peers.environment import folder, install, version
from benchmarks.processes import fetch, run_server, wait_until_answers
from benchmarks.subject import Subject
from scripts.lib.emulator import Emulator, free_port

NAME = "ministack"


def _install() -> str:
    own.install()
    install(NAME)
    return version(NAME, "ministack")


@contextmanager
def _start(subject: Subject) -> Iterator[Server]:
    port = free_port()
    environment = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "LAMBDA_EXECUTOR": "local",
    }
    started = time.monotonic()
    with (
        folder(NAME) as run,
        run_server(
            NAME, [str(install(NAME) / "ministack")], cwd=run,
            **environment, TMPDIR=str(run), HOME=str(run),
        ) as process,
    ):  # fmt: skip
        emulator = Emulator(process.pid, port, NAME)
        health = f"{emulator.url}/_ministack/health"
        wait_until_answers(NAME, process, lambda: fetch(health, "GET", {}, b""))
        own.copy_sources()
        stack = own.deploy(emulator)
        own.publish(subject.folder, emulator)
        yield own.server(stack, started)


PEER = Contender(
    "MiniStack",
    _install,
    _start,
    "API Gateway, Lambda and S3, emulated: this project's unchanged stack, by `sls deploy`",
)

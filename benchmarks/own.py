"""The project itself as a contender: its stack, deployed to an emulator that the benchmark starts.

It is deployed from a copy of the sources, so that the benchmark can change a handler and deploy it
again, and so that no existing stack is affected.
"""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.contender import Contender, Server
from benchmarks.processes import FOLDER
from benchmarks.subject import REVIEW, Subject
from scripts.lib import emulator as emulators
from scripts.lib import toolchain
from scripts.lib.emulator import Emulator
from scripts.lib.layer.build import build_layer
from scripts.lib.project import DEPLOYED, ROOT, architecture, copy_paths, python_version
from scripts.lib.stack import Stack, credentials, describe, serverless

NAME = "this project"
COPY = FOLDER / "project"


def install() -> str:
    """Install whatever a stack needs, build the layer, and return the version in words."""
    toolchain.install_deployer()
    toolchain.install_emulator()
    toolchain.install_runtime()
    build_layer(python_version(), architecture(), root=ROOT, report=lambda line: None)
    lock = (toolchain.EMULATOR / "requirements.lock").read_text()
    pinned = next(line for line in lock.splitlines() if line.startswith("localstack-core"))
    return f"this commit, on {pinned.partition(' ')[0].replace('==', ' ')}"


def copy_sources() -> Path:
    """Copy what the deployer reads to an empty folder; return the folder."""
    shutil.rmtree(COPY, ignore_errors=True)
    copy_paths(COPY, *DEPLOYED)
    (COPY / ".local").mkdir()
    (COPY / "node_modules").symlink_to(ROOT / "node_modules")
    (COPY / ".local" / "layer").symlink_to(ROOT / ".local" / "layer")
    return COPY


def deploy(emulator: Emulator) -> Stack:
    """Deploy the copy to an emulator."""
    serverless(["deploy"], stage="local", url=emulator.url, cwd=COPY)
    return describe(emulator)


def publish(folder: Path, emulator: Emulator) -> None:
    """Publish the model in a folder to the stack."""
    toolchain.run(
        [
            *(sys.executable, "-m", "training", "publish", "--stage", "local"),
            *("--model", str(folder)),
        ],
        "publishing",
        cwd=ROOT,
        **credentials(),
        AWS_ENDPOINT_URL=emulator.url,
    )


def server(stack: Stack, started: float) -> Server:
    """Return the stack as a `Server`, after it has made a prediction.

    Parameters
    ----------
    stack : Stack
        The deployed stack.
    started : float
        The monotonic time at which the emulator's start began.
    """
    found = Server(f"{stack.endpoint}/review", stack.emulator.pid, 0.0)
    headers = {**found.headers, "x-api-key": stack.api_key}
    found = Server(found.url, found.pid, 0.0, headers=headers)
    found.predict(REVIEW)
    return Server(found.url, found.pid, time.monotonic() - started, headers=headers)


@contextmanager
def fresh_emulator() -> Iterator[Emulator]:
    """Run an emulator at a free port; keep its log only if the context fails."""
    one = emulators.start(emulators.free_port())
    try:
        yield one
    finally:
        emulators.stop(one)
    for file in emulators.log_path(one.port).parent.glob(f"{one.port}.*"):
        file.unlink()


@contextmanager
def start(subject: Subject) -> Iterator[Server]:
    """Run the stack with the model."""
    started = time.monotonic()
    copy_sources()
    with fresh_emulator() as emulator:
        stack = deploy(emulator)
        publish(subject.folder, emulator)
        yield server(stack, started)


CONTENDER = Contender(
    NAME,
    install,
    start,
    "API Gateway with key and usage plan, IAM, Lambda's Runtime API and S3, all emulated; "
    "the model in compiled form if it has one",
)

"""Thousands of invocations leave nothing behind, however they ended."""

import ctypes
import gc
import itertools
import os
import platform
import statistics
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from conftest import RUNTIME, wait_for
from localstack.services.lambda_.invocation.lambda_models import (
    FunctionVersion,
    LambdaEphemeralStorage,
    VersionFunctionConfiguration,
    VersionIdentifier,
    VersionState,
)
from localstack_parity.lambda_process import executor, memory
from localstack_parity.lambda_process.executor import ProcessExecutor

INVOCATIONS = 10_000 if os.environ.get("SOAK") else 3_000
ROUNDS = 10
"""Execution environments, one after the other, that share the invocations."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
SOURCE = """
import os, signal, subprocess, sys, time
def handler(event, context):
    print('handling', event)
    if event == 'raise': raise ValueError(event)
    if event == 'exit': os._exit(1)
    if event == 'kill': os.kill(os.getpid(), signal.SIGKILL)
    if event == 'large': return 'x' * 7_000_000
    if event == 'hang':
        subprocess.Popen(['sleep', '1000'], start_new_session=True)
        time.sleep(1000)
    return event
"""


@dataclass
class Folder:
    """Code that is already in a folder, where LocalStack would unpack it from S3."""

    path: Path

    def is_hot_reloading(self) -> bool:
        return False

    def get_unzipped_code_location(self) -> Path:
        return self.path

    def prepare_for_execution(self) -> None:
        assert self.path.is_dir()


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FunctionVersion:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "handler.py").write_text(SOURCE)
    monkeypatch.setattr(executor, "_environments", lambda: tmp_path / "environments")
    settings = VersionFunctionConfiguration(
        description="",
        role="",
        timeout=3,  # a process must be able to start within it, even on a busy machine
        runtime=RUNTIME,
        memory_size=128,
        handler="handler.handler",
        package_type="Zip",
        environment=None,
        architectures=["arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"],
        internal_revision="",
        ephemeral_storage=LambdaEphemeralStorage(512),
        snap_start=None,
        tracing_config_mode="PassThrough",
        code=Folder(tmp_path / "code"),
        last_modified="",
        state=VersionState("Active"),
    )
    return FunctionVersion(VersionIdentifier("many", "$LATEST", "us-east-1", "0" * 12), settings)


def events() -> Iterator[tuple[int, str]]:
    """Yield the numbered events: most succeed, and every kind of failure occurs."""
    for number in range(INVOCATIONS):
        if number % 2500 == 1250:
            yield number, "hang"
        elif number % 100 == 50:
            yield number, ("exit", "kill")[number % 200 > 100]
        elif number % 500 == 251:
            yield number, "large"
        elif number % 20 == 7:
            yield number, "raise"
        else:
            yield number, "good"


@pytest.fixture
def returned_memory() -> None:
    """Make resident memory reflect the memory in use.

    By default, glibc keeps the space of freed large blocks, up to twice the largest of them for
    each of its arenas: the first thread that happens to read a large answer would add 15 MB.
    """
    for option in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD):
        assert ctypes.CDLL(None).mallopt(option, 128 * 1024)  # its default, but constant


def resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Traces:
    """Counts of everything that this process could leave behind."""

    processes: frozenset[int]
    threads: int
    descriptors: int

    @classmethod
    def now(cls) -> "Traces":
        return cls(
            processes=frozenset(memory.descendants([os.getpid()])),
            threads=threading.active_count(),
            descriptors=sum(1 for _ in Path("/proc/self/fd").iterdir()),
        )

    def since(self, before: "Traces") -> "Traces":
        """Return what was added; what has ended, such as an earlier test's emulator, is ignored."""
        return Traces(
            self.processes - before.processes,
            max(0, self.threads - before.threads),
            max(0, self.descriptors - before.descriptors),
        )


NOTHING = Traces(frozenset(), 0, 0)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("returned_memory")
def test_thousands_of_invocations_leave_nothing(version: FunctionVersion, tmp_path: Path) -> None:
    """Errors, exits, kills, timeouts and new environments leak no process, thread, file or memory."""
    ProcessExecutor.prepare_version(version)

    def start() -> ProcessExecutor:
        made = ProcessExecutor(uuid.uuid4().hex, version)
        made.start({"_HANDLER": "handler.handler", "AWS_LAMBDA_FUNCTION_NAME": "many"})
        return made

    hanging = replace(version, config=replace(version.config, timeout=1))
    start().stop()  # Creates what is kept: the watchdog and the memory thread.
    before = Traces.now()
    sizes: list[int] = []
    wrong: list[tuple[int, str]] = []
    current = start()
    for number, event in events():
        if (number + 1) % (INVOCATIONS // ROUNDS) == 0:
            current.stop()
            sizes.append(resident())
            current = start()
        current.function_version = hanging if event == "hang" else version
        answer = current.invoke(
            {
                "invoke-id": str(uuid.uuid4()),
                "invoked-function-arn": version.qualified_arn,
                "payload": f'"{event}"',
                "trace-id": "Root=1-0-0;Parent=0;Sampled=1",
            }
        )
        if answer.is_error != (event != "good"):
            wrong.append((number, event))
    current.stop()
    assert wrong == []
    left = Traces.now().since(before)
    wait_for(lambda: Traces.now().since(before) == NOTHING, what=f"{left} to end")
    assert list((tmp_path / "environments").iterdir()) == []
    # A leak grows in every round; what is allocated once, such as a larger table of interned
    # strings, grows in one step.
    grown = [later - earlier for earlier, later in itertools.pairwise(sizes)]
    assert statistics.median(grown) < 64 * 1024, sizes
    half = ROUNDS // 2
    assert max(sizes[half:]) - max(sizes[:half]) < 4 * 2**20, sizes

"""The peers' environments in ``.local/peers``, installed from lock files."""

import hashlib
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.contender import Server
from benchmarks.processes import run_server, wait_until_answers
from benchmarks.subject import REVIEW
from scripts.lib import toolchain
from scripts.lib.project import LOCAL, ROOT, python_version

ENVIRONMENTS = LOCAL / "peers"
SERVICES = Path(__file__).with_name("services")


def install(name: str) -> Path:
    """Install a peer's locked packages, unless they are current; return its ``bin`` folder."""
    environment = ENVIRONMENTS / name
    python = environment / "bin" / "python"
    lock = ROOT / "requirements" / "peers" / f"{name}.lock"
    stamp = environment / ".lock"
    wanted = hashlib.sha256(lock.read_bytes() + python_version().encode()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        shutil.rmtree(environment, ignore_errors=True)
        interpreter = str(toolchain.get_python(python_version()))
        toolchain.run(
            [
                *(toolchain.uv(), "venv", "-q", "--no-project", "--python", interpreter),
                str(environment),
            ],
            f"creating the environment of {name}",
        )
        toolchain.run(
            [
                *(toolchain.uv(), "pip", "sync", "-q", "--require-hashes", "--compile-bytecode"),
                *("--python", str(python), str(lock)),
            ],
            f"installing {name}",
        )
        stamp.write_text(wanted)
    return python.parent


def version(name: str, *packages: str) -> str:
    """Return the versions of packages in a peer's environment, in words."""
    code = "import sys, importlib.metadata as m; print(*map(m.version, sys.argv[1:]))"
    python = str(ENVIRONMENTS / name / "bin" / "python")
    found = toolchain.run([python, "-c", code, *packages], f"asking {name} for its version")
    return ", ".join(map(" ".join, zip(packages, found.split(), strict=True)))


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """Yield an empty folder for a peer to run in, and remove it at the end."""
    path = ENVIRONMENTS / f"{name}-run"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def serving(
    name: str, command: list[str], server: Server, *, cwd: Path, environment: Mapping[str, str]
) -> Iterator[Server]:
    """Run a peer's server; yield it with its process id and the time until it answered."""
    started = time.monotonic()
    with run_server(name, command, cwd=cwd, **environment) as process:
        wait_until_answers(name, process, lambda: server.predict(REVIEW))
        yield Server(
            server.url, process.pid, time.monotonic() - started,
            server.body, server.label, server.headers, server.method,
        )  # fmt: skip

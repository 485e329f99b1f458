"""The interpreter that a Lambda runtime name stands for.

A runtime is a virtual environment of that Python version that holds what AWS's managed runtime
holds beside the function: the runtime interface client and boto3, as locked in
`runtime-requirements.lock`. `localstack-parity install-runtime python3.13` makes one.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parent.parent / "runtime-requirements.lock"
SUPPORTED = tuple(f"python3.{minor}" for minor in range(9, 14))


class RuntimeNotInstalledError(Exception):
    """A function asks for a runtime that is not there; the message says how to get it."""


def directory() -> Path:
    """Return the folder of the runtimes: `LAMBDA_RUNTIMES_DIR`, or one in the user's data."""
    if configured := os.environ.get("LAMBDA_RUNTIMES_DIR"):
        return Path(configured).absolute()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "localstack-parity" / "runtimes"


def interpreter(runtime: str | None) -> Path:
    """Return the interpreter of a runtime, such as ``python3.13``.

    Raises
    ------
    RuntimeNotInstalledError
        The runtime is not supported, not installed, or is of another Python version.
    """
    if runtime not in SUPPORTED:
        raise RuntimeNotInstalledError(
            f"Lambda runtime {runtime!r} is not supported by the process executor; "
            f"supported: {', '.join(SUPPORTED)}"
        )
    python = directory() / runtime / "bin" / "python"
    if not python.exists():
        raise RuntimeNotInstalledError(
            f"Lambda runtime {runtime} is not installed in {directory()}; "
            f"install it with: localstack-parity install-runtime {runtime}"
        )
    found = _version(python)
    if found != runtime:
        raise RuntimeNotInstalledError(
            f"the function wants {runtime}, but {python} is {found}; "
            f"install it anew with: localstack-parity install-runtime {runtime}"
        )
    return python


def _version(python: Path) -> str:
    """Return the runtime name of a virtual environment, from its configuration file."""
    for line in (python.parent.parent / "pyvenv.cfg").read_text().splitlines():
        key, _, value = line.partition("=")
        if key.strip() in ("version", "version_info"):
            return "python" + ".".join(value.strip().split(".")[:2])
    return "of an unknown version"


def install(runtime: str, base: Path | None = None) -> Path:
    """Make the environment of a runtime, or leave it alone when it is current.

    Parameters
    ----------
    runtime : str
        Such as ``python3.13``.
    base : Path, optional
        Interpreter to make it from; found on ``PATH`` when not given.

    Returns
    -------
    Path
        The interpreter.

    Raises
    ------
    RuntimeNotInstalledError
        No such interpreter here, or its packages could not be installed.
    """
    if runtime not in SUPPORTED:
        raise RuntimeNotInstalledError(f"{runtime!r} is none of {', '.join(SUPPORTED)}")
    target = directory() / runtime
    stamp = target / ".lock"
    lock = LOCK.read_text()
    if stamp.exists() and stamp.read_text() == lock and (target / "bin" / "python").exists():
        return interpreter(runtime)
    found = str(base) if base else shutil.which(runtime)
    if not found:
        raise RuntimeNotInstalledError(f"there is no {runtime} on PATH to make the runtime from")
    building = target.with_name(f".{runtime}.{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    try:
        _run([found, "-m", "venv", *_without_pip(), str(building)])
        _run(_installer(building))
        shutil.rmtree(target, ignore_errors=True)
        building.rename(target)
        # Only scripts hold the path of a virtual environment, and none of them is ever run.
        stamp.write_text(lock)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return interpreter(runtime)


def _uv() -> str | None:
    return os.environ.get("UV") or shutil.which("uv")


def _without_pip() -> list[str]:
    return ["--without-pip"] if _uv() else []


def _installer(environment: Path) -> list[str]:
    python = str(environment / "bin" / "python")
    arguments = ["--require-hashes", "--only-binary", ":all:", "-r", str(LOCK)]
    if uv := _uv():
        return [uv, "pip", "install", "-q", "--compile-bytecode", "--python", python, *arguments]
    return [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments]


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        tail = "\n".join((result.stderr or result.stdout).strip().splitlines()[-5:])
        raise RuntimeNotInstalledError(f"`{' '.join(command[:4])} …` failed:\n{tail}")


def main_install(arguments: list[str]) -> int:
    """Install the runtimes named on the command line; see `localstack-parity --help`."""
    for argument in arguments:
        runtime, _, base = argument.partition("=")
        try:
            print(f"{runtime}: {install(runtime, Path(base) if base else None)}")
        except RuntimeNotInstalledError as exc:
            print(f"error: {exc}", file=sys.stderr)
            return 1
    return 0

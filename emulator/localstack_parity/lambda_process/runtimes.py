"""Lambda runtimes: their interpreters, and how to install them.

A runtime is a virtual environment of its Python version with what AWS's managed runtime contains:
the runtime interface client and boto3, as locked in `runtime-requirements.lock`, and
`bootstrap.py`. `localstack-parity install-runtime python3.13` makes one. With an OS-only runtime,
``provided.*``, the function brings its own program and needs nothing installed.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LOCK = Path(__file__).parent.parent / "runtime-requirements.lock"
BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
SUPPORTED = tuple(f"python3.{minor}" for minor in range(9, 14))
OS_ONLY = ("provided.al2", "provided.al2023")


@dataclass(frozen=True)
class Runtime:
    """An installed runtime.

    Attributes
    ----------
    name : str
        Such as ``python3.13``.
    interpreter : Path
        The virtual environment's Python.
    """

    name: str
    interpreter: Path

    @property
    def packages(self) -> Path:
        """The folder of its packages, including `bootstrap.py`."""
        return self.interpreter.parent.parent / "lib" / self.name / "site-packages"

    @property
    def base(self) -> Path:
        """The installation of Python that the virtual environment was made from."""
        return Path(_configuration(self.interpreter)["home"]).parent

    @property
    def base_packages(self) -> tuple[str, ...]:
        """The folders in `base`, relative to it, that contain the host's own packages."""
        usual = (
            f"lib/{self.name}/site-packages",
            f"lib/{self.name}/dist-packages",
            f"local/lib/{self.name}/dist-packages",
            "lib/python3/dist-packages",
        )
        return tuple(folder for folder in usual if (self.base / folder).is_dir())


class RuntimeNotInstalledError(Exception):
    """A function needs a runtime that is not installed; the message says how to install it."""


def directory() -> Path:
    """Return the folder of the runtimes: `LAMBDA_RUNTIMES_DIR`, or one in the user's data."""
    if configured := os.environ.get("LAMBDA_RUNTIMES_DIR"):
        return Path(configured).absolute()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "localstack-parity" / "runtimes"


def find(name: str | None) -> Runtime | None:
    """Return the runtime of a function; None where the function brings its own program.

    Raises
    ------
    RuntimeNotInstalledError
        The runtime is unsupported, not installed, or of another Python version.
    """
    if name in OS_ONLY:
        return None
    if name not in SUPPORTED:
        raise RuntimeNotInstalledError(
            f"Lambda runtime {name!r} is not supported by the process executor; "
            f"supported: {', '.join((*SUPPORTED, *OS_ONLY))}"
        )
    runtime = Runtime(name, directory() / name / "bin" / "python")
    if not runtime.interpreter.exists():
        raise RuntimeNotInstalledError(
            f"Lambda runtime {name} is not installed in {directory()}; "
            f"install it with: localstack-parity install-runtime {name}"
        )
    found = _version(runtime.interpreter)
    if found != name:
        raise RuntimeNotInstalledError(
            f"the function needs {name}, but {runtime.interpreter} is {found}; "
            f"reinstall it with: localstack-parity install-runtime {name}"
        )
    installed = runtime.packages / BOOTSTRAP.name
    if not installed.exists() or installed.read_bytes() != BOOTSTRAP.read_bytes():
        raise RuntimeNotInstalledError(
            f"Lambda runtime {name} in {directory()} was installed by another version of this "
            f"package; reinstall it with: localstack-parity install-runtime {name}"
        )
    return runtime


def _configuration(python: Path) -> dict[str, str]:
    lines = (python.parent.parent / "pyvenv.cfg").read_text().splitlines()
    pairs = (line.partition("=") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _version(python: Path) -> str:
    """Return the runtime name of a virtual environment, from its configuration file."""
    found = _configuration(python)
    version = found.get("version") or found.get("version_info") or "of an unknown version"
    return "python" + ".".join(version.split(".")[:2])


def install(runtime: str, base: Path | None = None) -> Path:
    """Make the virtual environment of a runtime, or keep it if it is current.

    Parameters
    ----------
    runtime : str
        Such as ``python3.13``.
    base : Path, optional
        Interpreter to make it from; by default the one on ``PATH``.

    Returns
    -------
    Path
        The interpreter.

    Raises
    ------
    RuntimeNotInstalledError
        There is no such interpreter here, or the packages could not be installed.
    """
    if runtime not in SUPPORTED:
        raise RuntimeNotInstalledError(f"{runtime!r} is not one of {', '.join(SUPPORTED)}")
    target = directory() / runtime
    stamp = target / ".lock"
    lock = LOCK.read_text() + BOOTSTRAP.read_text()
    if stamp.exists() and stamp.read_text() == lock and (target / "bin" / "python").exists():
        return target / "bin" / "python"
    found = str(base) if base else shutil.which(runtime)
    if not found:
        raise RuntimeNotInstalledError(f"there is no {runtime} on PATH to make the runtime from")
    building = target.with_name(f".{runtime}.{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    try:
        _run([found, "-m", "venv", *_without_pip(), str(building)])
        _run(_installer(building))
        shutil.copy(BOOTSTRAP, building / "lib" / runtime / "site-packages")
        shutil.rmtree(target, ignore_errors=True)
        building.rename(target)
        # Only scripts contain the path of a virtual environment, and none of them is ever run.
        stamp.write_text(lock)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    find(runtime)
    return target / "bin" / "python"


def _uv() -> str | None:
    """Return uv if it works: pyenv puts shims on PATH for programs that are not installed."""
    found = os.environ.get("UV") or shutil.which("uv")
    if found and not subprocess.run([found, "--version"], capture_output=True).returncode:
        return found
    return None


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

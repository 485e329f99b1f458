"""Installs what the project needs besides its own environment.

The emulator has its own environment with its own Python, each Lambda runtime has one, and the
deployer comes from npm. All are locked and installed in the project's folder. Nothing is done for
those that are current.
"""

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

from scripts.lib.project import LOCAL, ROOT, ScriptError, python_version

EMULATOR = ROOT / "emulator"
EMULATOR_ENVIRONMENT = EMULATOR / ".venv"
RUNTIMES = LOCAL / "runtimes"


@functools.cache
def uv() -> str:
    """Return the path of a uv that works.

    The launchers set ``UV``, and install uv if there is none. Tests that run without a launcher
    look in the same folders as bootstrap.sh.
    """
    found = shutil.which("uv")
    # A shim works only in folders for which pyenv chooses the Python that uv is installed for.
    shim = found is not None and Path(found).parent.name == "shims"
    candidates = [
        os.environ.get("UV"),
        None if shim else found,
        str(Path.home() / ".local" / "bin" / "uv"),
        str(LOCAL / "uv" / "bin" / "uv"),
        *map(str, _pyenv_versions().glob("*/bin/uv")),
    ]
    for candidate in filter(None, candidates):
        try:
            probe = subprocess.run([candidate, "--version"], capture_output=True, check=False)
        except OSError:
            continue
        if probe.returncode == 0:  # a shim of pyenv can exist and fail
            return candidate
    raise ScriptError("uv was not found; run ./scripts/up or ./scripts/test once, which install it")


def _pyenv_versions() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"


def without_aws() -> dict[str, str]:
    """Return this process's environment without AWS's variables.

    A profile that happens to be set must not lead anything that the scripts run to a real account.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def run(command: list[str], what: str, *, cwd: Path = ROOT, **environment: str) -> str:
    """Run a program in the environment of `without_aws` and return its output.

    Parameters
    ----------
    command : list of str
        The program and its arguments.
    what : str
        What the error says has failed, such as ``"`npm ci`"`` or ``"installing LocalStack"``.
    cwd : pathlib.Path
        The program's working directory.
    **environment : str
        Variables to add.

    Raises
    ------
    ScriptError
        The program failed. The message ends with the last lines of its output.
    """
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**without_aws(), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if result.returncode:
        lines = "\n".join(f"  {line}" for line in result.stdout.rstrip().split("\n")[-15:])
        raise ScriptError(f"{what} failed (exit status {result.returncode}):\n{lines}")
    return result.stdout


def find_python(version: str) -> Path | None:
    """Return an interpreter of that version, from PATH, pyenv or uv; None if there is none."""
    candidates = [
        shutil.which(f"python{version}"),
        *sorted(map(str, _pyenv_versions().glob(f"{version}*/bin/python{version}"))),
    ]
    for candidate in filter(None, candidates):
        # A shim of pyenv may be for a version that is not installed; otherwise resolve it.
        probe = subprocess.run(
            [candidate, "-c", "import sys; print(sys.executable)"],
            capture_output=True,
            text=True,
            check=False,
        )
        if probe.returncode == 0:
            return Path(probe.stdout.strip())
    known = subprocess.run(
        [uv(), "python", "find", "--no-project", version],
        capture_output=True,
        text=True,
        check=False,
    )
    return Path(known.stdout.strip()) if known.returncode == 0 else None


def get_python(version: str) -> Path:
    """Return an interpreter of that version; have uv download one if there is none.

    Raises
    ------
    ScriptError
        There is none, and uv could not download one.
    """
    found = find_python(version)
    if found is None:
        subprocess.run([uv(), "python", "install", "-q", version], check=False)
        found = find_python(version)
    if found is None:
        raise ScriptError(
            f"Python {version} is not installed, and uv could not download it; install it, for "
            f"example with: pyenv install {version}"
        )
    return found


def emulator_pythons() -> list[str]:
    """Return the Python versions that LocalStack runs on, newest first."""
    project = tomllib.loads((EMULATOR / "pyproject.toml").read_text())["project"]
    bounds = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"])
    assert bounds, project["requires-python"]
    oldest, end = map(int, bounds.groups())
    return [f"3.{minor}" for minor in reversed(range(oldest, end))]


def _fingerprint(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def install_emulator() -> bool:
    """Install LocalStack and the plugin; return False if they were current."""
    lock = EMULATOR / "requirements.lock"
    stamp = EMULATOR_ENVIRONMENT / ".lock"
    wanted = _fingerprint(lock, EMULATOR / "pyproject.toml")
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    pythons = emulator_pythons()
    version = next((v for v in pythons if find_python(v)), pythons[0])
    python = get_python(version)
    target = str(EMULATOR_ENVIRONMENT / "bin" / "python")
    run(
        [uv(), "venv", "-q", "--allow-existing", "--no-project", "--python", str(python),
         str(EMULATOR_ENVIRONMENT)],
        "creating the emulator's environment",
    )  # fmt: skip
    pip = [uv(), "pip"]
    run(
        [
            *pip,
            "sync",
            "-q",
            "--require-hashes",
            "--compile-bytecode",
            "--python",
            target,
            str(lock),
        ],
        "installing LocalStack",
    )
    run(
        [*pip, "install", "-q", "--no-deps", "--no-build-isolation", "--python", target,
         "--editable", str(EMULATOR)],
        "installing the emulator's plugin",
    )  # fmt: skip
    stamp.write_text(wanted)
    return True


def install_runtime(version: str | None = None) -> None:
    """Install the Lambda runtime of a Python version, by default the project's."""
    version = version or python_version()
    run(
        [
            str(EMULATOR_ENVIRONMENT / "bin" / "python"), "-m", "localstack_parity.cli",
            "install-runtime", f"python{version}={get_python(version)}",
        ],
        f"installing the Lambda runtime python{version}",
        UV=uv(),
        LAMBDA_RUNTIMES_DIR=str(RUNTIMES),
    )  # fmt: skip


def install_bubblewrap() -> bool:
    """Install bubblewrap if this user may; return whether it is installed."""
    if not shutil.which("bwrap") and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in ("update", "install --yes --no-install-recommends bubblewrap"):
            run(
                ["apt-get", "-qq", *command.split()],
                f"`apt-get {command}`",
                DEBIAN_FRONTEND="noninteractive",
            )
    return shutil.which("bwrap") is not None


def install_deployer() -> bool:
    """Install osls and its plugin from package-lock.json; return False if they were current."""
    check_node()
    stamp = ROOT / "node_modules" / ".lock"
    wanted = _fingerprint(ROOT / "package-lock.json")
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    # No package in the lock needs its install script, so none is run.
    run(["npm", "ci", "--ignore-scripts", "--no-progress"], "`npm ci`")
    stamp.write_text(wanted)
    return True


def check_node() -> None:
    """Raise `ScriptError` if Node.js is missing or too old."""
    engines = json.loads((ROOT / "package.json").read_text())["engines"]
    oldest = int(engines["node"].removeprefix(">="))
    how = (
        f"install Node.js {oldest} or newer (https://nodejs.org/en/download, or your system's "
        "packages)"
    )
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        raise ScriptError(f"the deployer needs Node.js, but `node` or `npm` was not found: {how}")
    version = run([node, "--version"], "`node --version`").strip()
    major = version.lstrip("v").split(".")[0]
    if not major.isdigit() or int(major) < oldest:
        raise ScriptError(f"Node.js {version} is too old for the deployer: {how}")

"""What has to be installed beside the project's own environment.

The emulator has an environment of its own, with a Python of its own; each Lambda runtime has one;
the deployer comes from npm. All are locked, lie in the project's folder, and are left alone when
they are current.
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
    """Return a uv executable that works.

    The launcher of the scripts names one, and installs it where there is none; a test that is run
    without the launcher looks in the same places.
    """
    candidates = [
        os.environ.get("UV"),
        shutil.which("uv"),
        str(Path.home() / ".local" / "bin" / "uv"),
        str(LOCAL / "uv" / "bin" / "uv"),
        *map(str, _pyenv_versions().glob("*/bin/uv")),
    ]
    for candidate in filter(None, candidates):
        try:
            probe = subprocess.run([candidate, "--version"], capture_output=True, check=False)
        except OSError:
            continue
        if probe.returncode == 0:  # a shim of pyenv can be there and fail
            return candidate
    raise ScriptError(
        "there is no uv here; run ./scripts/up or ./scripts/test once, which bring it"
    )


def _pyenv_versions() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"


def without_aws() -> dict[str, str]:
    """Return this process's environment but for AWS's variables.

    Nothing that runs here may reach a real account by a profile that happens to be set.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def run(command: list[str], what: str, *, cwd: Path = ROOT, **environment: str) -> str:
    """Run a program quietly and return its output.

    It gets the environment of `without_aws`.

    Raises
    ------
    ScriptError
        It failed: `what` says in words what was attempted, the end of its output follows.
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
    """Return an interpreter of that version: on PATH, in pyenv, or one that uv knows."""
    candidates = [
        shutil.which(f"python{version}"),
        *sorted(map(str, _pyenv_versions().glob(f"{version}*/bin/python{version}"))),
    ]
    for candidate in filter(None, candidates):
        # A shim of pyenv exists for versions that are not there: ask, and see through it.
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
    """Return an interpreter of that version, fetched by uv where there is none.

    Raises
    ------
    ScriptError
        There is none, and uv could not fetch one.
    """
    found = find_python(version)
    if found is None:
        subprocess.run([uv(), "python", "install", "-q", version], check=False)
        found = find_python(version)
    if found is None:
        raise ScriptError(
            f"Python {version} is needed and was not found, nor could uv fetch it; "
            f"install it, for example with: pyenv install {version}"
        )
    return found


def emulator_pythons() -> list[str]:
    """Return the Python versions that LocalStack runs on, the newest first."""
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
    """Install LocalStack and the plugin; return False when they were current."""
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
        "making the emulator's environment",
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
    """Install the Lambda runtime of a Python version, the project's unless given."""
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
    """Install bubblewrap where that is this user's to do; return whether it is there."""
    if not shutil.which("bwrap") and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in ("update", "install --yes --no-install-recommends bubblewrap"):
            run(
                ["apt-get", "-qq", *command.split()],
                f"`apt-get {command}`",
                DEBIAN_FRONTEND="noninteractive",
            )
    return shutil.which("bwrap") is not None


def install_deployer() -> bool:
    """Install osls and its plugin from package-lock.json; return False when they were current."""
    check_node()
    stamp = ROOT / "node_modules" / ".lock"
    wanted = _fingerprint(ROOT / "package-lock.json")
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    # No package of the lock needs its install script; none is run.
    run(["npm", "ci", "--ignore-scripts", "--no-progress"], "`npm ci`")
    stamp.write_text(wanted)
    return True


def check_node() -> None:
    """Raise `ScriptError` where Node.js is missing or too old."""
    engines = json.loads((ROOT / "package.json").read_text())["engines"]
    oldest = int(engines["node"].removeprefix(">="))
    how = (
        f"install Node.js {oldest} or newer (https://nodejs.org/en/download, or your system's "
        "packages)"
    )
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        raise ScriptError(
            f"the deployer needs Node.js, and there is no `node` or `npm` here: {how}"
        )
    version = run([node, "--version"], "`node --version`").strip()
    major = version.lstrip("v").split(".")[0]
    if not major.isdigit() or int(major) < oldest:
        raise ScriptError(f"Node.js {version} is too old for the deployer: {how}")

"""Run every check of the project: what CI runs, and what to run before a commit."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable

from scripts.lib import toolchain
from scripts.lib.console import ERR, OUT, run_main, step
from scripts.lib.layer.build import build_layer
from scripts.lib.project import ROOT, architecture, python_version

OTHER_PYTHON = "3.11"
PYTHON_CODE = ["sklearn_api", "handlers", "training", "scripts", "tests"]


def call(*command: str, cwd: str = ".", **environment: str) -> bool:
    """Run a check with its output on this terminal; return whether it passed.

    When this process is interrupted, the check stops what it has started before it ends.
    """
    process = subprocess.Popen(command, cwd=ROOT / cwd, env={**os.environ, **environment})
    try:
        return process.wait() == 0
    except BaseException as exc:
        if not isinstance(exc, KeyboardInterrupt):  # Ctrl-C has reached it as well
            process.terminate()
        process.wait()
        raise


def python(*command: str) -> bool:
    """Run a module in the project's environment."""
    return call(sys.executable, "-m", *command)


def emulator(*command: str, **environment: str) -> bool:
    """Run a module in the emulator's environment."""
    return call(
        str(toolchain.EMULATOR_ENVIRONMENT / "bin" / "python"), "-m", *command, cwd="emulator",
        UV=toolchain.uv(), LAMBDA_RUNTIMES_DIR=str(toolchain.RUNTIMES), PYTHONPATH="",
        **environment,
    )  # fmt: skip


def lint() -> bool:
    """Style and formatting, of the emulator too."""
    return all([python("ruff", "check", "."), python("ruff", "format", "--check", ".")])


def types() -> bool:
    """Types, strictly; the emulator's in its own environment, against LocalStack itself."""
    return all([python("mypy", *PYTHON_CODE), emulator("mypy", "localstack_parity")])


def unit() -> bool:
    """Unit tests; nothing is deployed."""
    return python("pytest", "tests/unit", "-q")


def plugin() -> bool:
    """The emulator plugin's tests, with namespaces for functions and without."""
    if not toolchain.install_bubblewrap():
        ERR.print(
            "! NOT RUN: bubblewrap is not installed here, and the emulator's tests were not run "
            "with namespaces; install your system's package `bubblewrap`",
            markup=False,
        )
    # Without namespaces, only what has to do with functions is another thing.
    return all([emulator("pytest", "-q"), functions_without_namespaces()])


def functions_without_namespaces() -> bool:
    """The tests of functions once more, as they run where bubblewrap is missing."""
    return emulator("pytest", "-q", "tests/lambda_process", LAMBDA_NAMESPACES="off")


def integration() -> bool:
    """The deployed stack, through HTTP."""
    return python("pytest", "tests/integration", "-q")


def core() -> bool:
    """A part of integration: what a deployed stack answers, and deploying it again."""
    parts = ("test_http", "test_model", "test_deploy")
    return python("pytest", "-q", *(f"tests/integration/{part}.py" for part in parts))


def other_python() -> bool:
    """The checks `unit` and `core`, with another Python for everything but the emulator."""
    if python_version() == OTHER_PYTHON:
        return True
    if toolchain.find_python(OTHER_PYTHON) is None:
        ERR.print(
            f"! NOT RUN: Python {OTHER_PYTHON} is not installed here, and nothing was tested "
            "with it",
            markup=False,
        )
        return True
    return call(str(ROOT / "scripts" / "test"), "unit", "core", PYTHON_VERSION=OTHER_PYTHON)


CHECKS: dict[str, Callable[[], bool]] = {
    "lint": lint,
    "types": types,
    "unit": unit,
    "emulator": plugin,
    "integration": integration,
    "core": core,
    f"python{OTHER_PYTHON}": other_python,
}


def main() -> int:
    """Run the script; see ``--help``."""
    listing = "\n".join(f"  {name:<12} {check.__doc__}" for name, check in CHECKS.items())
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description="Install what is missing and run all checks, or those that are named:\n\n"
        + listing,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("check", nargs="*", choices=[[], *CHECKS], help=argparse.SUPPRESS)
    chosen = parser.parse_args().check or [name for name in CHECKS if name != "core"]
    with step("Deployer, emulator and layer") as done:
        toolchain.install_deployer()
        toolchain.install_emulator()
        toolchain.install_runtime()
        build_layer(python_version(), architecture(), root=ROOT, report=lambda line: None)
        done("current")
    failed = []
    for name in chosen:
        OUT.rule(name)
        begun = time.monotonic()
        passed = CHECKS[name]()
        OUT.print(f"{'✓' if passed else '✗'} {name} ({time.monotonic() - begun:.0f} s)")
        if not passed:
            failed.append(name)
    if failed:
        ERR.print(f"error: failed: {', '.join(failed)}", markup=False)
        return 1
    OUT.print(f"All checks passed with Python {python_version()}: {', '.join(chosen)}")
    return 0


if __name__ == "__main__":
    run_main(main)

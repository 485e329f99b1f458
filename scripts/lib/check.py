"""Run the checks of the project: what CI runs, and what to run before a commit."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable

from scripts.lib import toolchain
from scripts.lib.console import ERR, OUT, run_main, step
from scripts.lib.layer.build import build_layer
from scripts.lib.project import ROOT, SUPPORTED, architecture, python_version

OTHER_PYTHON = SUPPORTED[0]  # the oldest one, which has the oldest scikit-learn
PYTHON_CODE = ["sklearn_api", "handlers", "training", "scripts", "benchmarks", "tests"]
SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile")
"""pytest-xdist gives whole files to two workers, so that a worker makes a file's fixtures once."""


def call(*command: str, cwd: str = ".", **environment: str) -> bool:
    """Run a check with its output on this terminal; return whether it passed.

    When this process is interrupted, the check stops what it has started before it ends.
    """
    process = subprocess.Popen(command, cwd=ROOT / cwd, env={**os.environ, **environment})
    try:
        return process.wait() == 0
    except BaseException as exc:
        if not isinstance(exc, KeyboardInterrupt):  # Ctrl-C has reached the check as well
            process.terminate()
        process.wait()
        raise


def python(*command: str, **environment: str) -> bool:
    """Run a module in the project's environment."""
    return call(sys.executable, "-m", *command, **environment)


def pytest(*arguments: str, **environment: str) -> bool:
    """Run tests in the project's environment, side by side.

    Each worker has one thread for numeric libraries: two workers fill two cores.
    """
    return python("pytest", "-q", *SIDE_BY_SIDE, *arguments, OMP_NUM_THREADS="1", **environment)


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
    return pytest("tests/unit")


def plugin() -> bool:
    """The emulator plugin's tests, with namespaces for functions and without."""
    if not toolchain.install_bubblewrap():
        ERR.print(
            "! NOT RUN: bubblewrap is not installed here, so the emulator's tests ran without "
            "namespaces only; install your system's package `bubblewrap`",
            markup=False,
        )
    # Without namespaces, only functions differ.
    return all([emulator("pytest", "-q", *SIDE_BY_SIDE), functions_without_namespaces()])


def functions_without_namespaces() -> bool:
    """The tests of functions that can differ without bubblewrap, once more."""
    return emulator(
        *("pytest", "-q", *SIDE_BY_SIDE, "-m", "not same_without_namespaces"),
        "tests/lambda_process",
        LAMBDA_NAMESPACES="off",
    )


def integration() -> bool:
    """The deployed stack, through HTTP."""
    return pytest("tests/integration")


def core() -> bool:
    """The part of integration that queries a deployed stack and deploys it again."""
    parts = ("test_http", "test_model", "test_deploy")
    return pytest(*(f"tests/integration/{part}.py" for part in parts))


def other_python() -> bool:
    """The checks `unit` and `core` with another Python for everything but the emulator."""
    if python_version() == OTHER_PYTHON:
        return True
    if toolchain.find_python(OTHER_PYTHON) is None:
        ERR.print(
            f"! NOT RUN: Python {OTHER_PYTHON} is not installed here, so nothing was tested "
            "with it",
            markup=False,
        )
        return True
    return call(str(ROOT / "scripts" / "test"), "unit", "core", PYTHON_VERSION=OTHER_PYTHON)


def soak() -> bool:
    """Long runs: 12,000 damaged artifacts and 10,000 invocations."""
    mutations = "tests/unit/sklearn_api/artifact/test_mutations.py"
    invocations = "tests/lambda_process/test_many.py"
    return all([pytest(mutations, SOAK="1"), emulator("pytest", "-q", invocations, SOAK="1")])


CHECKS: dict[str, Callable[[], bool]] = {
    "lint": lint,
    "types": types,
    "unit": unit,
    "emulator": plugin,
    "integration": integration,
    f"python{OTHER_PYTHON}": other_python,
    "core": core,
    "soak": soak,
}
ON_REQUEST = {"core", "soak"}
"""Checks that only run when they are named."""


def main() -> int:
    """Run the script; see ``--help``."""
    listing = "\n".join(
        f"  {name:<12} {check.__doc__}{' (only if named)' if name in ON_REQUEST else ''}"
        for name, check in CHECKS.items()
    )
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description="Install what is missing and run all checks, or those that are named:\n\n"
        + listing,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("check", nargs="*", choices=[[], *CHECKS], help=argparse.SUPPRESS)
    chosen = parser.parse_args().check or [name for name in CHECKS if name not in ON_REQUEST]
    with step("Deployer, emulator and layer") as done:
        toolchain.install_deployer()
        toolchain.install_emulator()
        toolchain.install_runtime()
        build_layer(python_version(), architecture(), root=ROOT, report=lambda line: None)
        done("current")
    failed = []
    for name in chosen:
        OUT.rule(name)
        started = time.monotonic()
        passed = CHECKS[name]()
        OUT.print(f"{'✓' if passed else '✗'} {name} ({time.monotonic() - started:.0f} s)")
        if not passed:
            failed.append(name)
    if failed:
        ERR.print(f"error: failed: {', '.join(failed)}", markup=False)
        return 1
    OUT.print(f"All checks passed with Python {python_version()}: {', '.join(chosen)}")
    return 0


if __name__ == "__main__":
    run_main(main)

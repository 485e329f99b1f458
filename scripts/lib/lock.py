"""Resolve pyproject.toml, package.json and those of the emulator and the peers into lock files.

Why they are requirements files and not ``uv.lock``: docs/decisions/0001-lock-files-with-hashes.md.
"""

import argparse
import os

from scripts.lib import toolchain
from scripts.lib.console import run_main, step
from scripts.lib.project import ROOT, SUPPORTED

# LocalStack sets hardly any upper bounds, and later releases of its dependencies break it.
LOCALSTACK_RELEASED = "2026-03-05"

PEERS_OLDEST_PYTHON = "3.12"  # the oldest that the layer's newest scikit-learn runs on
RUNTIME_OLDEST_PYTHON = "3.9"  # the oldest Lambda runtime that the emulator has

NPM_PROJECTS = (ROOT, ROOT / "benchmarks" / "peers" / "services" / "serverless-offline")


def compile_lock(
    source: list[str], target: str, *options: str, oldest_python: str, folder: str = "."
) -> None:
    """Resolve requirements for a Python version and all later ones, and write a lock with hashes.

    Parameters
    ----------
    source : list of str
        A requirements file, or a pyproject.toml and groups in it.
    target : str
        The lock file.
    *options : str
        More options for ``uv pip compile``.
    oldest_python : str
        The first version to resolve for, such as ``3.11``.
    folder : str
        The folder of both, relative to the project's.
    """
    python = str(toolchain.get_python(SUPPORTED[-1]))
    toolchain.run(
        [
            toolchain.uv(), "pip", "compile", "--quiet", "--universal", "--generate-hashes",
            "--no-emit-index-url", "--no-header", "--python", python,
            "--python-version", oldest_python, *options, *source, "-o", target,
        ],
        f"resolving {target}",
        cwd=ROOT / folder,
    )  # fmt: skip


def main() -> int:
    """Run the script; see ``--help``."""
    parser = argparse.ArgumentParser(
        prog="scripts/lock", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--upgrade", action="store_true", help="take the newest versions, not the locked ones"
    )
    upgrade = ["--upgrade"] if parser.parse_args().upgrade else []
    with step("requirements/dev.lock"):
        compile_lock(
            ["pyproject.toml", "--group", "dev"], "requirements/dev.lock", *upgrade,
            oldest_python=SUPPORTED[0],
        )  # fmt: skip
    with step("requirements/layer.lock"):
        compile_lock(
            ["--group", "layer"], "requirements/layer.lock",
            "--constraints", "requirements/dev.lock", *upgrade,
            oldest_python=SUPPORTED[0],
        )  # fmt: skip
    for peer in sorted((ROOT / "requirements" / "peers").glob("*.in")):
        name = f"requirements/peers/{peer.stem}"
        with step(f"{name}.lock"):
            # Peers serve the same model, so they get the layer's scikit-learn.
            compile_lock(
                [f"{name}.in"], f"{name}.lock",
                "--constraints", "requirements/layer.lock", *upgrade,
                oldest_python=PEERS_OLDEST_PYTHON,
            )  # fmt: skip
    with step("emulator/requirements.lock"):
        compile_lock(
            ["pyproject.toml", "--group", "dev"], "requirements.lock",
            "--exclude-newer", LOCALSTACK_RELEASED, *upgrade,
            oldest_python=toolchain.emulator_pythons()[-1], folder="emulator",
        )  # fmt: skip
    with step("emulator/localstack_parity/runtime-requirements.lock"):
        name = "localstack_parity/runtime-requirements"
        compile_lock(
            [f"{name}.in"], f"{name}.lock", *upgrade,
            oldest_python=RUNTIME_OLDEST_PYTHON, folder="emulator",
        )  # fmt: skip
    npm = "update" if upgrade else "install"
    for folder in NPM_PROJECTS:
        name = str((folder / "package-lock.json").relative_to(ROOT))
        with step(name):
            toolchain.run(
                [
                    *("npm", npm, "--package-lock-only", "--ignore-scripts"),
                    "--omit-lockfile-registry-resolved",
                ],
                f"resolving {name}",
                cwd=folder,
            )
    return 0


if __name__ == "__main__":
    os.environ.pop("VIRTUAL_ENV", None)
    run_main(main)

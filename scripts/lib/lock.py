"""Make the lock files anew from pyproject.toml, package.json and emulator/.

Requirements files with hashes instead of ``uv.lock``: they name no registry, so that they hold
behind any mirror, and pip can install them as well.
"""

import argparse
import os

from scripts.lib import toolchain
from scripts.lib.console import run_main, step
from scripts.lib.project import ROOT

# LocalStack's dependencies are loosely bounded: later releases of them break it.
LOCALSTACK_RELEASED = "2026-03-05"

NPM_PROJECTS = (ROOT, ROOT / "benchmarks" / "peers" / "services" / "serverless-offline")


def compile_lock(source: list[str], target: str, *options: str, folder: str = ".") -> None:
    """Resolve requirements for every supported Python and write a lock with hashes."""
    toolchain.run(
        [
            toolchain.uv(), "pip", "compile", "--quiet", "--universal", "--generate-hashes",
            "--no-emit-index-url", "--no-header", "--python", str(toolchain.get_python("3.13")),
            *options, *source, "-o", target,
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
            ["pyproject.toml", "--group", "dev"], "requirements/dev.lock",
            "--python-version", "3.11", *upgrade,
        )  # fmt: skip
    with step("requirements/layer.lock"):
        compile_lock(
            ["--group", "layer"], "requirements/layer.lock",
            "--python-version", "3.11", "--constraints", "requirements/dev.lock", *upgrade,
        )  # fmt: skip
    for peer in sorted((ROOT / "requirements" / "peers").glob("*.in")):
        name = f"requirements/peers/{peer.stem}"
        with step(f"{name}.lock"):
            # They serve the same model, so they have the layer's scikit-learn.
            compile_lock(
                [f"{name}.in"], f"{name}.lock",
                "--python-version", "3.12", "--constraints", "requirements/layer.lock", *upgrade,
            )  # fmt: skip
    with step("emulator/requirements.lock"):
        compile_lock(
            ["pyproject.toml", "--group", "dev"], "requirements.lock",
            "--python-version", "3.12", "--exclude-newer", LOCALSTACK_RELEASED, *upgrade,
            folder="emulator",
        )  # fmt: skip
    with step("emulator/localstack_parity/runtime-requirements.lock"):
        name = "localstack_parity/runtime-requirements"
        compile_lock(
            [f"{name}.in"], f"{name}.lock", "--python-version", "3.9", *upgrade, folder="emulator"
        )
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

"""Build the Lambda layer that holds scikit-learn: ``.local/layer/python3.13-x86_64.zip``.

There are five steps (`content`), which give the same result on every machine:

install
    uv installs ``requirements/layer.lock`` for Lambda's platform and checks every hash.
prune
    Remove what no function runs: tests, C and Cython sources, headers, type stubs. Every module
    with a documented name stays, and so do licences and package metadata.
compile
    Replace every module by its bytecode, with an interpreter of the version that will load it.
    A layer is read-only, so without bytecode each cold start would compile scikit-learn anew
    (2.7 s instead of 1 s). Why no sources are kept: docs/decisions/0015-layer-of-bytecode.md.
shrink
    Remove tables for debuggers and linkers from shared libraries.
zip
    Sort the files, and give all of them the same date and fixed permissions.

The zip is moved into place when it is complete, with a ``.json`` that describes its inputs. As long
as they are unchanged, the next build reuses the zip.
"""

import argparse
import errno
import fcntl
import hashlib
import importlib.metadata
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from scripts.lib import toolchain
from scripts.lib.console import ERR, OUT, run_main
from scripts.lib.layer.content import (
    compile_modules,
    folder_sizes,
    install,
    prune,
    shrink_libraries,
    write_zip,
)
from scripts.lib.layer.errors import LayerError
from scripts.lib.layer.limits import LIMIT_BYTES, RESERVE_BYTES, check_size, megabytes
from scripts.lib.project import ROOT, SUPPORTED

ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}

# Lambda's python3.11 runs on Amazon Linux 2 (glibc 2.26), later ones on Amazon Linux 2023 (2.34).
PLATFORMS = {"3.11": "manylinux2014"}
NEWER_PLATFORM = "manylinux_2_28"

RECIPE = ("build.py", "content.py", "elf.py")
"""Modules in this folder that decide what the layer holds: a change of them makes a new one."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Layer:
    """A layer on disk. Sizes are in bytes."""

    path: Path
    sha256: str
    size: int
    unzipped_size: int
    python: str
    arch: str
    reused: bool


def build_layer(
    python: str,
    arch: str,
    *,
    root: Path,
    force: bool = False,
    report: Progress,
    limit_bytes: int = LIMIT_BYTES,
    reserve_bytes: int = RESERVE_BYTES,
) -> Layer:
    """Build the layer, or return the existing one if it is current.

    Parameters
    ----------
    python : str
        Version of Lambda's Python, such as ``3.13``.
    arch : str
        Lambda's name for the architecture: ``x86_64`` or ``arm64``.
    root : pathlib.Path
        The project's folder. It has ``requirements/layer.lock``, and the layer is written to
        ``.local/layer/python<version>-<arch>.zip`` in it.
    force : bool
        Build even if the layer is current.
    report : callable
        Called with one line when a step starts.
    limit_bytes, reserve_bytes : int
        The unzipped layer may have `limit_bytes` - `reserve_bytes`.

    Raises
    ------
    LayerError
        The Python version or the architecture is unknown, there is no interpreter of that
        version, packages could not be installed, the layer is over the limit, or the disk is full.
    """
    for what, value, choices in (
        ("Python", python, SUPPORTED),
        ("architecture", arch, ARCHITECTURES),
    ):
        if value not in choices:
            raise LayerError(
                f"{what} {value!r} is not supported; choose one of {', '.join(choices)}"
            )
    lock = root / "requirements" / "layer.lock"
    target = root / ".local" / "layer" / f"python{python}-{arch}.zip"
    limit = limit_bytes - reserve_bytes
    built = None
    try:
        inputs = [lock.read_bytes(), python.encode(), arch.encode()]
        inputs += [Path(__file__).with_name(name).read_bytes() for name in RECIPE]
        digests = b"".join(hashlib.sha256(content).digest() for content in inputs)
        wanted = hashlib.sha256(digests).hexdigest()
        target.parent.mkdir(parents=True, exist_ok=True)
        description = None if force else _read_current(target, wanted)
        if description is None:
            with _exclusive(target.parent, report):
                # Another build may have finished it while this one waited.
                description = None if force else _read_current(target, wanted)
                if description is None:
                    built = _build(lock, target, python, arch, limit, report, fingerprint=wanted)
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = f"the disk that holds {target.parent} is full; a build needs about 300 MB"
        else:
            reason = str(exc)
        raise LayerError(f"the layer could not be built: {reason}") from exc
    made = built or description or {}
    check_size(Counter(made["folders"]), limit)
    size, unzipped_size = made["size"], made["unzipped_size"]
    return Layer(target, made["sha256"], size, unzipped_size, python, arch, reused=built is None)


def _build(
    lock: Path,
    target: Path,
    python: str,
    arch: str,
    limit: int,
    report: Progress,
    *,
    fingerprint: str,
) -> dict[str, Any]:
    for leftover in target.parent.glob(".build-*"):
        rmtree(leftover, ignore_errors=True)  # from a build that was killed
    interpreter = _find_interpreter(python)
    platform = f"{ARCHITECTURES[arch]}-{PLATFORMS.get(python, NEWER_PLATFORM)}"
    # On the same file system as the target, so that moving the finished zip is atomic.
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as temporary:
        build = Path(temporary)
        content = build / "python"
        report(f"installing packages for Python {python} on {platform}")
        install(lock, content, interpreter, python, platform)
        report(f"pruning {megabytes(folder_sizes(content).total())}")
        prune(content)
        report(f"compiling {megabytes(folder_sizes(content).total())} with Python {python}")
        compile_modules(build, interpreter)
        report(f"shrinking {megabytes(folder_sizes(content).total())}")
        shrink_libraries(content)
        folders = folder_sizes(content)
        check_size(folders, limit)
        report(f"zipping {megabytes(folders.total())}")
        archive = build / "layer.zip"
        write_zip(content, archive)
        description: dict[str, Any] = {
            "fingerprint": fingerprint,
            "sha256": _sha256(archive),
            "size": archive.stat().st_size,
            "unzipped_size": folders.total(),
            "python": python,
            "compiled_by": _release(interpreter),
            "arch": arch,
            "packages": sorted(
                f"{found.name}=={found.version}"
                for found in importlib.metadata.distributions(path=[str(content)])
            ),
            "folders": dict(sorted(folders.items())),
        }
        written = build / "layer.json"
        written.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        archive.replace(target)
        written.replace(target.with_suffix(".json"))
    return description


def _read_current(target: Path, fingerprint: str) -> dict[str, Any] | None:
    """Return the layer's description if its inputs are the same and the zip is intact."""
    try:
        description = json.loads(target.with_suffix(".json").read_text(encoding="utf-8"))
        same = description["fingerprint"] == fingerprint
        return description if same and description["sha256"] == _sha256(target) else None
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return None


@contextmanager
def _exclusive(folder: Path, report: Progress) -> Iterator[None]:
    """Let one build at a time use a folder. The kernel frees the lock if the process dies."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("waiting for another build of the layer to finish")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _find_interpreter(python: str) -> Path:
    """Return an interpreter of the layer's version, since no other makes bytecode for it."""
    if sys.version_info[:2] == tuple(map(int, python.split("."))):
        return Path(sys.executable)
    found = toolchain.find_python(python)
    if found is None:
        raise LayerError(
            f"Python {python} is not installed, and only Python {python} can compile its layer; "
            f"install it (for example: uv python install {python}) or choose another with --python"
        )
    return found


def _release(interpreter: Path) -> str:
    """Return the whole version of an interpreter, such as ``3.13.1``."""
    program = "import platform; print(platform.python_version())"
    return toolchain.run([str(interpreter), "-c", program], "asking for Python's version").strip()


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _arguments(argv: list[str] | None, root: Path) -> argparse.Namespace:
    declared = os.environ.get("PYTHON_VERSION") or (root / ".python-version").read_text().strip()
    parser = argparse.ArgumentParser(
        prog="scripts/build-layer",
        description="Build the Lambda layer that holds scikit-learn. If the layer is current, "
        "nothing is built.",
    )
    parser.add_argument(
        "--python", default=declared, metavar="VERSION",
        help=f"{', '.join(SUPPORTED)} (default: PYTHON_VERSION or .python-version; now {declared})",
    )  # fmt: skip
    parser.add_argument(
        "--arch", default="x86_64", help=f"{' or '.join(ARCHITECTURES)} (default: x86_64)"
    )
    parser.add_argument(
        "--reserve-bytes", type=int, default=RESERVE_BYTES, metavar="N",
        help=f"how much of Lambda's {megabytes(LIMIT_BYTES)} to leave for a function "
        "(default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="build even if it is current")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the script; see ``--help``.

    Returns
    -------
    int
        Exit status: 0, 2 after an error, 130 after Ctrl-C.
    """
    options = _arguments(argv, root)
    try:
        with OUT.status("checking the layer …") as status:

            def report(line: str) -> None:
                status.update(f"{line} …")
                OUT.print(f"• {line}", markup=False)

            layer = build_layer(
                options.python, options.arch, root=root, force=options.force, report=report,
                reserve_bytes=options.reserve_bytes,
            )  # fmt: skip
    except LayerError as exc:
        ERR.print(f"error: {exc}", markup=False)
        return 2
    except KeyboardInterrupt:
        ERR.print("stopped by Ctrl-C; the layer is unchanged", markup=False)
        return 130
    path = layer.path.relative_to(root) if layer.path.is_relative_to(root) else layer.path
    OUT.print("layer is current" if layer.reused else "layer has been built", markup=False)
    OUT.print(f"  {path}", markup=False)
    OUT.print(
        f"  {megabytes(layer.size)} zipped, {megabytes(layer.unzipped_size)} unzipped", markup=False
    )
    OUT.print(f"  sha256 {layer.sha256}", markup=False)
    return 0


if __name__ == "__main__":
    run_main(main)

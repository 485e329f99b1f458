"""The steps that make the layer: install, prune, compile, shrink, zip. `build` runs them."""

import os
import re
import subprocess
import zipfile
from collections import Counter
from pathlib import Path
from shutil import rmtree

from scripts.lib import toolchain
from scripts.lib.layer import elf
from scripts.lib.layer.errors import LayerError
from scripts.lib.project import ScriptError

# __pycache__: a few wheels ship bytecode, with the dates and paths of where they were built.
PRUNED_FOLDERS = {"tests", "test", "_precompute", "_examples", "_build_utils", "__pycache__"}
PRUNED_NAMES = {".lock", "RECORD", "REQUESTED", "INSTALLER", "conftest.py", "py.typed"}
PRUNED_SUFFIXES = {
    *(".a", ".build", ".c", ".cpp", ".f", ".f90", ".h", ".hpp", ".in", ".pc"),
    *(".pxd", ".pxi", ".pyi", ".pyx", ".template", ".tp"),
}
# Extension modules that only numpy's and scipy's tests import.
PRUNED_EXTENSION = re.compile(r"(_test_\w+|_\w+_tests|_c(y)?test|_simd)\.[\w.-]+\.so")
# scipy and scikit-learn import numpy.testing, which imports a test module in numpy 2.2.
KEPT = {"numpy/_core/tests/__init__.py", "numpy/_core/tests/_natype.py"}

# A module's bytecode depends slightly on what its process compiled before it, since that decides
# which strings are interned. So each process always gets the same share of the modules, however
# many processors there are.
COMPILERS = 4
COMPILER = """
import os, py_compile, sys
part, parts = int(sys.argv[1]), int(sys.argv[2])
with open("sources.txt", encoding="utf-8") as sources:
    for name in sources.read().split("\\n")[part::parts]:
        py_compile.compile(
            name,
            cfile=f"{name}c",
            dfile=f"/opt/{name}",
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        os.unlink(name)
"""

# Parts of uv's messages, and what they mean.
UV_FAILURES = {
    "No space left": "the disk is full: ",
    "Failed to fetch": "the packages could not be downloaded (is the network reachable?): ",
    "error sending request": "the packages could not be downloaded (is the network reachable?): ",
    "no usable wheels": "not every package exists for this Python on this architecture: ",
}


def install(lock: Path, content: Path, interpreter: Path, python: str, platform: str) -> None:
    """Install the lock's packages for Lambda's platform, on a machine of any other."""
    command = [
        *(toolchain.uv(), "pip", "install", "--no-progress", "--color", "never"),
        *("--target", str(content), "--python", str(interpreter)),
        *("--python-version", python, "--python-platform", platform),
        *("--only-binary", ":all:", "--no-deps", "--require-hashes", "--no-compile-bytecode"),
        # No links into uv's cache: other environments share it, and files are changed below.
        *("--link-mode", "copy", "-r", str(lock)),
    ]
    try:
        toolchain.run(command, f"installing {lock.name} with uv", cwd=content.parent)
    except ScriptError as exc:
        reasons = (reason for sign, reason in UV_FAILURES.items() if sign in str(exc))
        raise LayerError(f"{next(reasons, '')}{exc}") from exc


def prune(content: Path) -> None:
    """Remove what no function runs. Every module with a documented name stays."""
    rmtree(content / "bin", ignore_errors=True)
    for file in files(content):
        relative = file.relative_to(content)
        if str(relative) not in KEPT and (
            file.name in PRUNED_NAMES
            or file.suffix in PRUNED_SUFFIXES
            or PRUNED_EXTENSION.fullmatch(file.name)
            or not PRUNED_FOLDERS.isdisjoint(relative.parts[:-1])
        ):
            file.unlink()


def compile_modules(build: Path, interpreter: Path) -> None:
    """Replace every module by its bytecode, with the path that tracebacks will show on Lambda.

    Python imports ``module.pyc`` if there is no ``module.py``. A traceback still names file, line
    and function, but cannot quote the line.
    """
    sources = [file for file in files(build / "python") if file.suffix == ".py"]
    names = [str(file.relative_to(build)) for file in sources]
    (build / "sources.txt").write_text("\n".join(names), encoding="utf-8")
    # Unchecked-hash bytecode: unzipping changes dates, and Python would ignore dated bytecode.
    # A fixed hash seed: bytecode stores the elements of set constants in hash order.
    # No debug ranges: they mark columns of a quoted line, and no line can be quoted.
    inherited = {name: v for name, v in os.environ.items() if not name.startswith("PYTHON")}
    options = ["-P", "-s", "-S", "-W", "ignore", "-X", "no_debug_ranges"]
    command = [str(interpreter), *options, "-c", COMPILER]
    workers: list[subprocess.Popen[str]] = []
    try:
        for part in range(COMPILERS):
            worker = subprocess.Popen(
                [*command, str(part), str(COMPILERS)],
                cwd=build,
                env={**inherited, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            workers.append(worker)
        for worker in workers:
            _, errors = worker.communicate()
            if worker.returncode:
                last = (errors.strip().splitlines() or [f"exit status {worker.returncode}"])[-1]
                raise LayerError(f"{interpreter} could not compile the layer: {last}")
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def shrink_libraries(content: Path) -> None:
    """Remove from every shared library what only debuggers and linkers read."""
    for file in files(content):
        if ".so" in file.suffixes:
            file.write_bytes(elf.shrink(file.read_bytes()))


def write_zip(content: Path, archive: Path) -> None:
    """Zip the content: sorted, all files with the same date and with fixed permissions."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as written:
        for file in files(content):
            info = zipfile.ZipInfo(str(file.relative_to(content.parent)), (1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # Unix: external_attr holds permissions
            # Lambda's user does not own the files, so everyone must be able to read them.
            info.external_attr = (0o100755 if ".so" in file.suffixes else 0o100644) << 16
            written.writestr(info, file.read_bytes(), zipfile.ZIP_DEFLATED)


def files(folder: Path) -> list[Path]:
    """Return all files below a folder, in a fixed order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def folder_sizes(content: Path) -> Counter[str]:
    """Return the bytes below each top-level name; a package's ``.libs`` count as the package."""
    sizes: Counter[str] = Counter()
    for file in files(content):
        sizes[file.relative_to(content).parts[0].removesuffix(".libs")] += file.stat().st_size
    return sizes

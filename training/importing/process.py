"""Starts the process that reads a pickle, and takes over the files that it leaves."""

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from training import folder as folders
from training.artifact.manifest import Manifest
from training.errors import TrainingError
from training.importing.options import ERROR, MODEL, OPTIONS, ImportOptions
from training.options import ROOT

_LAST_SECONDS = 3.0  # until a process that was told to end is killed


def import_pickle(options: ImportOptions) -> Manifest:
    """Have a pickle read, measured and stored by another process, and take over the model.

    The output of that process goes to this terminal.

    Raises
    ------
    TrainingError
        It is not trusted, cannot be imported, or its code has ended that process.
    """
    path = Path(options.source)
    if not options.trust_pickle:
        raise TrainingError(
            f"{path.name} is a pickle, and reading a pickle runs the code in it, which may do on "
            "this machine all that you may do. If you have made the file yourself, or trust who "
            "made it as you trust their programs, add --trust-pickle: it is then read in a process "
            "of its own, and the stored model holds no pickle. A file of skops.io.dump needs no "
            "such trust"
        )
    with tempfile.TemporaryDirectory(prefix="import-") as temporary:
        folder = Path(temporary)
        inner = replace(options, output=folder / MODEL)
        (folder / OPTIONS).write_text(inner.to_json())
        sys.stdout.flush()
        status = _run(folder)
        if status == 130:
            raise KeyboardInterrupt
        if status:
            raise TrainingError(_failure(path, folder, status))
        manifest, content = folders.load(folder / MODEL, options.name)
        folders.store(options.output, manifest, content, _report(folder / MODEL))
    return manifest


def _run(folder: Path) -> int:
    """Run the other process, and return its status."""
    with subprocess.Popen(
        [sys.executable, "-m", "training.importing.pickled", str(folder)],
        env={**os.environ, "PYTHONPATH": _python_path()},
        stdin=subprocess.DEVNULL,
    ) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # A terminal sends Ctrl-C to both processes.
            try:
                process.wait(_LAST_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            raise


def _python_path() -> str:
    """Return PYTHONPATH with the project's folder, which may not be the current one."""
    before = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(ROOT), *([before] if before else [])])


def _report(folder: Path) -> str:
    return folders.report_file(folder).read_text()


def _failure(path: Path, folder: Path, status: int) -> str:
    """Return why the other process has failed."""
    try:
        return (folder / ERROR).read_text()
    except FileNotFoundError:
        pass
    ended = f"status {status}"
    if status < 0:
        ended = signal.Signals(-status).name
        if status == -signal.SIGKILL:
            ended += ", perhaps for lack of memory"
    return f"{path.name} was not imported: the process that was reading it ended with {ended}"

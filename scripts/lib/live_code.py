"""Functions that run saved files instead of what was deployed.

LocalStack's bucket `hot-reload` maps to folders of this machine: a function whose code is the
"object" ``/some/folder`` runs the code in this folder, and is restarted when it changes. Such a
folder holds copies: see docs/decisions/0024-dev-runs-copies.md. Bytecode is not copied, since some
kinds of it are never compared with their sources, and would run instead of the saved file.
"""

import shutil
import urllib.request
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from scripts.lib.emulator import Emulator

HOT_RELOAD = "hot-reload"

State = tuple[int, int]  # time of modification in ns, size in bytes


class Copies:
    """A folder with copies of one function's files.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.
    patterns : list of str
        The patterns of the function's files, relative to `root`.
    folder : pathlib.Path
        The folder for the copies. Its content is removed first.
    """

    def __init__(self, root: Path, patterns: list[str], folder: Path) -> None:
        self._root = root
        self._patterns = patterns
        self.folder = folder
        self._copied: dict[str, State] = {}
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def update(self) -> list[str]:
        """Copy changed files, remove deleted ones, and return the paths of both."""
        wanted = self._sources()
        changed = [path for path, state in wanted.items() if self._copied.get(path) != state]
        gone = self._copied.keys() - wanted.keys()
        for path in changed:
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            # First next to the folder, then moved: a function never starts with half a file.
            incoming = self.folder.with_suffix(".incoming")
            try:
                shutil.copyfile(self._root / path, incoming)
            except FileNotFoundError:  # some editors delete a file and write a new one
                del wanted[path]
                continue
            incoming.replace(target)
        for path in gone:
            (self.folder / path).unlink(missing_ok=True)
        self._copied = wanted
        return sorted({*changed, *gone})

    def _sources(self) -> dict[str, State]:
        found: dict[str, State] = {}
        for pattern in self._patterns:
            exclude = pattern.startswith("!")
            if exclude:
                found = {
                    path: state
                    for path, state in found.items()
                    if not PurePosixPath(path).match(pattern[1:])
                }
                continue
            for file in self._root.glob(pattern):
                try:
                    facts = file.stat()
                except FileNotFoundError:
                    continue
                if file.is_file() and file.suffix != ".pyc":
                    path = file.relative_to(self._root).as_posix()
                    found[path] = (facts.st_mtime_ns, facts.st_size)
        return found


class LiveFunction:
    """A deployed function that runs the code in a folder for a while.

    Parameters
    ----------
    functions : botocore client
        Lambda's, for the emulator.
    name : str
        The function's name.
    emulator : Emulator
        The emulator that the function is deployed to.
    """

    def __init__(self, functions: Any, name: str, emulator: Emulator) -> None:
        self._functions = functions
        self.name = name
        location = urlsplit(functions.get_function(FunctionName=name)["Code"]["Location"])
        # The URL's host is a name that only public name servers resolve.
        here = urlunsplit(location._replace(netloc=urlsplit(emulator.url).netloc))
        with urllib.request.urlopen(here, timeout=30) as answer:
            self._deployed: bytes = answer.read()

    def run(self, folder: Path) -> None:
        """Make the function run the code in a folder."""
        self._functions.update_function_code(
            FunctionName=self.name, S3Bucket=HOT_RELOAD, S3Key=str(folder)
        )
        self._wait()

    def restore(self) -> None:
        """Give the function the deployed code back."""
        self._functions.update_function_code(FunctionName=self.name, ZipFile=self._deployed)
        self._wait()

    def _wait(self) -> None:
        self._functions.get_waiter("function_updated_v2").wait(
            FunctionName=self.name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
        )

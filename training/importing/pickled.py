"""Reads a pickle, in a process of its own: ``python -m training.importing.pickled FOLDER``.

Reading a pickle runs the code in it, so that nothing else in the project does it. This process
reads one that its user trusts, stores the pipeline as an artifact, which holds no pickle, and ends.
The process that has started it sees only the files that it leaves in a folder:

- `options.json`, what to import, is there already;
- `error.txt` says why it could not be imported;
- `model/` is the stored model.
"""

import bz2
import gzip
import lzma
import re
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import sklearn

from training.artifact.advice import advice
from training.errors import TrainingError
from training.importing.options import ERROR, OPTIONS, ImportOptions
from training.importing.versions import another_version, same_version
from training.terminal import Terminal

_VERSION = re.compile(rb"_sklearn_version.{1,12}?([0-9]+\.[0-9]+(?:\.[0-9a-z]+)*)", re.DOTALL)
# What Python says of a name that a module does not have, for newer and older pickles.
_MISSING = re.compile(
    r"attribute '(.+?)' (?:on|from) <module '(.+?)'|module '(.+?)' has no attribute '(.+?)'"
)
_DECOMPRESS: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"BZ": bz2.decompress,
    b"\xfd7zXZ": lzma.decompress,
    b"\x5d\x00": lzma.decompress,
    b"\x78": zlib.decompress,
}


def load_pickle(path: Path) -> Any:
    """Return the object in a pickle, after running the code in it.

    Parameters
    ----------
    path : Path
        Written by joblib, compressed or not, or by pickle.

    Raises
    ------
    TrainingError
        It is damaged, not a pickle, of another version of scikit-learn, or needs code that is not
        here.
    """
    name = path.name
    try:
        with same_version(name):
            return joblib.load(path)
    except (TrainingError, KeyboardInterrupt):
        raise
    # The code in a pickle may raise anything.
    except (Exception, SystemExit) as exc:
        version = _version(path)
        if version is not None and version != sklearn.__version__:
            raise another_version(name, version) from exc
        raise TrainingError(f"{name} cannot be read: {_reason(exc)}") from exc


def _reason(error: BaseException) -> str:
    """Return why a pickle cannot be read, and what to do."""
    text = f"{type(error).__name__}: {error}"[:300]
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.split(".")[0]
        if package in ("lightgbm", "xgboost", "catboost", "imblearn"):
            return f"it needs the package {package}; {advice([error.name])}"
        return (
            f"it needs the module {error.name}, which is neither in the current folder "
            f"({Path.cwd()}) nor installed. If it is your own, run the command in its folder, or "
            "set PYTHONPATH to that folder"
        )
    if isinstance(error, AttributeError):
        found = _MISSING.search(str(error))
        module, name = (found[2] or found[3], found[1] or found[4]) if found else ("", "")
        if module.endswith("_main__"):  # `__mp_main__`, and those of programs
            return (
                f"it names {name}, which was defined in a notebook or a script, and a pickle "
                "does not hold code. Move it into a module, then fit and pickle again; or, in "
                "that notebook, call training.save.save_model"
            )
        if found:
            return f"it names {module}.{name}, which does not exist here"
    if isinstance(error, EOFError | zlib.error | lzma.LZMAError) or "truncated" in text:
        return f"it is incomplete or damaged ({text}); copy it again"
    return f"it is damaged or not a pickle ({text})"


def _version(path: Path) -> str | None:
    """Return the version of scikit-learn that a pickle names, without running it."""
    try:
        content = path.read_bytes()
        for start, decompress in _DECOMPRESS.items():
            if content.startswith(start):
                content = decompress(content)
                break
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
        return None
    found = _VERSION.search(content)
    return found[1].decode() if found else None


def main(folder: Path) -> int:
    """Import the pickle that a folder's options name; return the exit status."""
    from training.importing.store import store_pipeline

    options = ImportOptions.from_json((folder / OPTIONS).read_text())
    terminal = Terminal()
    path = Path(options.source)
    try:
        with terminal.step(f"Reading {path.name}, {path.stat().st_size / 1e6:,.1f} MB") as done:
            pipeline = load_pickle(path)
            done(type(pipeline).__name__)
        store_pipeline(pipeline, options, terminal)
    except TrainingError as exc:
        (folder / ERROR).write_text(str(exc))
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

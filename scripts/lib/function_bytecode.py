"""Add bytecode to a Lambda function's zip: ``python3.13 function_bytecode.py review.zip``.

scripts/bytecode.cjs runs this for each zip, with an interpreter of the runtime's version, since no
other loads the bytecode. Each zip gets its own process and a fixed hash seed, so that the same
sources make the same zip: bytecode depends slightly on what its process compiled before, and stores
the elements of set constants in hash order. Only the standard library is needed.

Why the sources are kept here, but not in the layer: docs/decisions/0025-bytecode-beside-sources.md.
"""

import marshal
import sys
import zipfile
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import Path, PurePosixPath

TASK = PurePosixPath("/var/task")
"""Where Lambda unpacks a function."""

CACHE = "__pycache__"
# PEP 552: Python compares bytecode with its source by hash, not by date, which unzipping changes.
# Without the comparison, an edit in AWS's console would have no effect.
CHECKED_HASH = 0b11


class BytecodeError(Exception):
    """Bytecode could not be added to a zip. The zip is unchanged."""


def add_bytecode(archive: Path) -> None:
    """Replace a zip by one that also holds the bytecode of its modules.

    Bytecode that is already in the zip is dropped: a pattern of serverless.yml has matched this
    machine's ``__pycache__``.

    Parameters
    ----------
    archive : pathlib.Path
        The zip. It is replaced atomically.

    Raises
    ------
    BytecodeError
        A source is not valid Python of this version. The message names file and line.
    OSError
        The zip could not be read or written.
    """
    incoming = archive.with_suffix(".incoming")
    try:
        with (
            zipfile.ZipFile(archive) as packaged,
            zipfile.ZipFile(incoming, "w") as written,
        ):
            for member in packaged.infolist():
                path = PurePosixPath(member.filename)
                if CACHE in path.parts:
                    continue
                content = packaged.read(member)
                mode = member.external_attr
                written.writestr(_entry(member.filename, mode), content)
                if path.suffix == ".py":
                    written.writestr(_entry(str(cached(path)), mode), compiled(content, path))
        incoming.replace(archive)
    finally:
        incoming.unlink(missing_ok=True)


def cached(path: PurePosixPath) -> PurePosixPath:
    """Return the path at which Python looks for a module's bytecode."""
    return path.parent / CACHE / f"{path.stem}.{sys.implementation.cache_tag}.pyc"


def compiled(source: bytes, path: PurePosixPath) -> bytes:
    """Return the content of a module's ``.pyc`` file.

    Parameters
    ----------
    source : bytes
        The content of the module's file.
    path : pathlib.PurePosixPath
        The module's file, relative to the function's folder.

    Raises
    ------
    BytecodeError
        The source is not valid Python of this version.
    """
    try:
        code = compile(source, str(TASK / path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError) as exc:
        python = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
        line = f"line {exc.lineno}: " if isinstance(exc, SyntaxError) and exc.lineno else ""
        reason = exc.msg if isinstance(exc, SyntaxError) else exc
        raise BytecodeError(f"{path} is not valid {python}: {line}{reason}") from exc
    flags = CHECKED_HASH.to_bytes(4, "little")
    return MAGIC_NUMBER + flags + source_hash(source) + marshal.dumps(code)


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix: external_attr holds permissions
    entry.external_attr = mode
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def main(archive: str) -> int:
    """Run the program.

    Returns
    -------
    int
        Exit status: 0, or 1 after an error, whose message is printed.
    """
    try:
        add_bytecode(Path(archive))
    except (BytecodeError, OSError, zipfile.BadZipFile) as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

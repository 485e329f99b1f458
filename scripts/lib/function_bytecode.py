"""Add bytecode to a Lambda function's zip: ``python3.13 function_bytecode.py review.zip``.

scripts/bytecode.cjs runs this in a process of its own for each zip, with a fixed seed for hashes:
bytecode depends a little on what its process has compiled before, and holds the elements of set
constants in hash order. So the same sources make the same zip. What runs this compiles for its own
version; it needs nothing but the standard library.

Sources stay, and tracebacks quote them. The layer keeps bytecode alone: see layer/content.py.
"""

import marshal
import sys
import zipfile
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import Path, PurePosixPath

TASK = PurePosixPath("/var/task")
"""Where Lambda unpacks a function."""

CACHE = "__pycache__"
# PEP 552: compared with the source's hash, not with its date, which unzipping changes. Not to
# compare would save 0.2 ms, and run old code after an edit in AWS's console.
CHECKED_HASH = 0b11


class BytecodeError(Exception):
    """A zip cannot be given its bytecode; it is as it was."""


def add_bytecode(archive: Path) -> None:
    """Replace a zip by one that also holds the bytecode of its modules.

    Bytecode that is in it already is left out: a pattern has swept up that of this machine.

    Parameters
    ----------
    archive : pathlib.Path
        The zip. It is replaced as a whole or not at all.

    Raises
    ------
    BytecodeError
        A source is not Python, or not of this version; it names file and line.
    OSError
        The zip cannot be read or written.
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
    """Return where Python looks for a module's bytecode."""
    return path.parent / CACHE / f"{path.stem}.{sys.implementation.cache_tag}.pyc"


def compiled(source: bytes, path: PurePosixPath) -> bytes:
    """Return a module's bytecode as a file holds it.

    Parameters
    ----------
    source : bytes
        What the module's file holds.
    path : pathlib.PurePosixPath
        The module's file, relative to the function's folder.

    Raises
    ------
    BytecodeError
        The source is not Python, or not of this version.
    """
    try:
        code = compile(source, str(TASK / path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError) as exc:
        python = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
        line = f"line {exc.lineno}: " if isinstance(exc, SyntaxError) and exc.lineno else ""
        reason = exc.msg if isinstance(exc, SyntaxError) else exc
        raise BytecodeError(f"{path} is no {python}: {line}{reason}") from exc
    flags = CHECKED_HASH.to_bytes(4, "little")
    return MAGIC_NUMBER + flags + source_hash(source) + marshal.dumps(code)


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, whose permissions follow
    entry.external_attr = mode
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def main(archive: str) -> int:
    """Run the program.

    Returns
    -------
    int
        Exit status: 0, or 1 for an error told in words.
    """
    try:
        add_bytecode(Path(archive))
    except (BytecodeError, OSError, zipfile.BadZipFile) as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

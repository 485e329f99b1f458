"""Opens a file of rows: its type, its compression, and its bytes.

The type comes from the file's name. The compression comes from the name or, without an ending, from
the first bytes. Names are taken literally: brackets and stars in them are no patterns.
"""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import TrainingError

TYPES = {
    "csv": "csv",
    "tsv": "tsv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "json",
    "parquet": "parquet",
}
COMPRESSIONS = ("gz", "bz2", "xz", "zst", "zip")
_MAGIC = {
    b"\x1f\x8b\x08": "gz",
    b"BZh91AY&SY": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"PK\x03\x04": "zip",
}


@dataclass(frozen=True)
class File:
    """A file of rows.

    Attributes
    ----------
    path : Path
        The file.
    type : str
        A value of `TYPES`.
    compression : str or None
        One of `COMPRESSIONS`.
    """

    path: Path
    type: str
    compression: str | None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @contextmanager
    def open(self) -> Iterator[io.BufferedReader]:
        """Open the uncompressed bytes, to be read from the beginning to the end.

        Raises
        ------
        TrainingError
            Here, or while the bytes are read: the file cannot be read, or is damaged.
        """
        try:
            with ExitStack() as stack:
                yield _uncompressed(self, stack)
        except EOFError as exc:
            raise TrainingError(
                f"{self.path} cannot be read as {self.type}: it is cut off, its {self.compression} "
                "data end too early; copy or download it again"
            ) from exc
        except (OSError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, _ZipError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc
            raise TrainingError(f"{self.path} cannot be read as {self.type}: {reason}") from exc

    def head(self, size: int) -> bytes:
        """Return up to `size` of the first bytes, uncompressed."""
        with self.open() as source:
            return source.read(size)


class _ZipError(Exception):
    """A zip file that does not hold one readable file."""


def find_file(path: Path) -> File:
    """Return a file with its type and its compression.

    Raises
    ------
    TrainingError
        There is no such file, or it is of no supported type, or empty.
    """
    if not path.exists():
        raise TrainingError(f"there is no file {path}")
    if path.is_dir():
        raise TrainingError(f"{path} is a folder; name a csv, jsonl, json or parquet file")
    parts = path.name.lower().split(".")
    compression = parts.pop() if parts[-1] in COMPRESSIONS else None
    try:
        with path.open("rb") as source:
            start = source.read(16)
        if compression == "zip" and (len(parts) == 1 or parts[-1] not in TYPES):
            with zipfile.ZipFile(path) as archive:  # such as archive.zip with reviews.csv
                parts = _only_member(archive).filename.lower().split(".")
    except OSError as exc:
        raise TrainingError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    except (zipfile.BadZipFile, _ZipError) as exc:
        raise TrainingError(f"{path} cannot be read as zip: {exc}") from exc
    found = TYPES.get(parts[-1]) if len(parts) > 1 else None
    if found is None or (found == "parquet" and compression):
        raise TrainingError(
            f"{path.name} has no supported type; supported are csv, tsv, jsonl and json, also "
            f"compressed ({', '.join(COMPRESSIONS)}), and uncompressed parquet"
        )
    if not start:
        raise TrainingError(f"{path} is empty")
    if compression is None and found != "parquet":
        compression = next(
            (name for magic, name in _MAGIC.items() if start.startswith(magic)), None
        )
    return File(path, found, compression)


def _uncompressed(file: File, stack: ExitStack) -> io.BufferedReader:
    source = stack.enter_context(file.path.open("rb"))
    if file.compression is None:
        return source
    stream: Any
    if file.compression == "gz":
        stream = gzip.GzipFile(fileobj=source)
    elif file.compression == "bz2":
        stream = bz2.BZ2File(source)
    elif file.compression == "xz":
        stream = lzma.LZMAFile(source)  # noqa: SIM115 - the stack closes it
    elif file.compression == "zst":
        import pyarrow  # it comes with datasets; Python has zstd from version 3.14 on

        stream = pyarrow.CompressedInputStream(source, "zstd")
    else:
        archive = stack.enter_context(zipfile.ZipFile(source))
        try:
            stream = archive.open(_only_member(archive))
        except (RuntimeError, NotImplementedError) as exc:  # a password, or a rare method
            raise _ZipError(str(exc)) from exc
    # The same kind of stream for every compression; closing it closes the other.
    return stack.enter_context(io.BufferedReader(stream, 2**18))


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir()
        and not member.filename.startswith("__MACOSX/")  # what macOS adds about each file
        and not Path(member.filename).name.startswith(".")
    ]
    names = [member.filename for member in members]
    if "xl/workbook.xml" in names:
        raise _ZipError("it is an Excel workbook; save it as CSV UTF-8")
    if len(members) != 1:
        shown = f" ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})" if names else ""
        raise _ZipError(
            f"it holds {len(members)} files{shown}, and one is needed; unpack it and name one of "
            "them"
        )
    return members[0]

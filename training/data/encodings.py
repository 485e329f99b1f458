"""Decodes a file: UTF-8, what its byte order mark says, or the encoding that the user names.

Nothing else is guessed. The bytes of any other encoding have no mark, and most of them can be read
in several ways that all look right to a program, so the error shows how the usual one would read.
"""

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from training.data.files import File
from training.errors import TrainingError

_MARKS = {  # those of UTF-32 first: one of them begins with one of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_USUAL = "cp1252"
_OTHERS = "cp1250 (Central Europe), cp1251 (Cyrillic), gb18030 (Chinese) and shift_jis (Japanese)"
_CHUNK = 2**20
_INVALID = re.compile("[\udc80-\udcff]")  # bytes that surrogateescape could not decode
_VALID = re.compile("[^\x00-\x7f\udc80-\udcff]")  # characters of several bytes
_CONTEXT = 512  # bytes around an undecodable one
_BEFORE, _AFTER = 40, 20  # characters that an error shows of the line


def find_encoding(file: File, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the encoding of a file, and notes.

    Parameters
    ----------
    file : File
        A file of text.
    encoding : str or None
        The name of an encoding; None for UTF-8, or what the byte order mark says.

    Raises
    ------
    TrainingError
        The encoding does not exist or contradicts the mark, or the file is not text.
    """
    start = file.head(512)
    marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if encoding is not None:
        named = _normal_name(encoding)
        if marked and not named.startswith(marked):
            raise TrainingError(
                f"{file.name} begins with the byte order mark of {marked}, so it cannot be "
                f"{encoding}; leave out --encoding"
            )
        if marked is None:
            _refuse_zeros(file, start, named)
            return named, ()
    if marked is None:
        _refuse_zeros(file, start, "utf-8")
        return "utf-8", ()
    if marked == "utf-8":
        return "utf-8-sig", ()
    return marked, (f"{file.name} is read as {marked.upper()}, as its byte order mark says",)


@contextmanager
def open_text(file: File, encoding: str) -> Iterator[TextIO]:
    """Open a file as text, with its line ends as they are.

    Raises
    ------
    TrainingError
        Here, or while the text is read: a byte cannot be decoded; the message says which, and what
        to try.
    """
    with file.open() as source:
        try:
            with io.TextIOWrapper(source, encoding, newline="") as text:
                yield text
        except UnicodeDecodeError as exc:
            raise TrainingError(_explain(file, encoding)) from exc


def _normal_name(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        str(b"ab", name)  # refuses codecs that are not encodings of text, such as hex
    except UnicodeDecodeError:
        return name
    except (LookupError, ValueError) as exc:
        raise TrainingError(
            f"--encoding {encoding} does not exist; usual ones are utf-8, utf-16, {_USUAL} "
            f"(Windows, Western Europe), {_OTHERS}"
        ) from exc
    return name


def _refuse_zeros(file: File, start: bytes, encoding: str) -> None:
    """Refuse zero bytes, unless the encoding needs them."""
    if b"\0" not in start or encoding.startswith(("utf-16", "utf-32")):
        return
    offset = start.index(b"\0")
    even, odd = start[::2].count(0), start[1::2].count(0)
    likely = "utf-16-le" if odd > len(start) / 4 else "utf-16-be" if even > len(start) / 4 else None
    advice = f"try --encoding {likely}" if likely else f"it is not a {file.type} file"
    raise TrainingError(f"{file.name} has a zero byte at offset {offset}: {advice}")


@dataclass(frozen=True)
class _Undecodable:
    """A byte that cannot be decoded.

    Attributes
    ----------
    offset, line : int
        Where it is: from 0, and from 1.
    before, rest : bytes
        The part of its line before it, and the part from it on; a few hundred bytes at most.
    """

    offset: int
    line: int
    before: bytes
    rest: bytes


def _explain(file: File, encoding: str) -> str:
    """Return which byte of a file cannot be decoded, and what to try."""
    found = _first_undecodable(file, encoding)
    where = (
        f"{file.name} cannot be read as {file.type}: byte 0x{found.rest[:1].hex()} in line "
        f"{found.line:,}, at offset {found.offset:,}, is not "
        f"{encoding.removesuffix('-sig').upper()}"
    )
    if not encoding.startswith("utf-8"):
        return f"{where}; try another --encoding, such as utf-8, {_USUAL}, {_OTHERS}"
    valid, invalid = _count(file)
    if valid > invalid:
        return (
            f"{where}, although the rest of the file is: {valid:,} other characters can be "
            f"decoded, and {invalid:,} bytes cannot; repair that line"
        )
    reading = _reading(found)
    hint = f", which reads “{reading}” there" if reading else ""
    return f"{where}; try --encoding {_USUAL}{hint}, or others such as {_OTHERS}"


def _first_undecodable(file: File, encoding: str) -> _Undecodable:
    decoder = codecs.getincrementaldecoder(encoding)()
    offset, line, before = 0, 1, b""
    with file.open() as source:
        while True:
            chunk = source.read(_CHUNK)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as exc:
                # Bytes of the chunk before may belong to the same character.
                start = exc.start - (len(exc.object) - len(chunk))
                window = before + chunk + source.read(_CONTEXT)
                at = len(before) + start
                return _Undecodable(
                    offset + start,
                    line + chunk.count(b"\n", 0, max(0, start)),
                    window[max(0, at - _CONTEXT) : at].rpartition(b"\n")[2],
                    window[at : at + _CONTEXT].partition(b"\n")[0],
                )
            assert chunk, "the whole file can be decoded"
            offset += len(chunk)
            line += chunk.count(b"\n")
            before = (before + chunk)[-_CONTEXT:]


def _count(file: File) -> tuple[int, int]:
    """Return how many characters of several bytes UTF-8 decodes, and how many bytes it cannot."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    valid = invalid = 0
    with file.open() as source:
        while chunk := source.read(_CHUNK):
            text = decoder.decode(chunk)
            valid += len(_VALID.findall(text))
            invalid += len(_INVALID.findall(text))
    return valid, invalid


def _reading(found: _Undecodable) -> str:
    """Return how the usual encoding reads the line around a byte, or "" where it cannot."""
    try:
        before, rest = found.before.decode(_USUAL), found.rest.decode(_USUAL)
    except UnicodeDecodeError:
        return ""
    return f"{before[-_BEFORE:]}{rest[:_AFTER]}".strip()

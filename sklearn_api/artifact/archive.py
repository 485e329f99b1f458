"""A zip in memory whose members are read one by one, and never extracted to a path.

It supports the part of the zip format that an artifact needs: members that are stored or deflated,
in one file, without a comment. Sizes are checked in the central directory before anything is
unpacked, and unpacking stops at the size that was checked. The central directory is parsed here
rather than by `zipfile`, whose import alone would double the time until a compiled model answers.
"""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from sklearn_api.errors import ArtifactError

Content = bytes | bytearray
"""The bytes of a zip; nobody changes them any more."""

_END = b"PK\x05\x06"  # signature of the record that ends a zip, 22 bytes long without a comment
_LOCAL = b"PK\x03\x04"  # signature of a member's local header, 30 bytes before its name
_ENTRY = b"PK\x01\x02"  # signature of a central directory entry, 46 bytes before its name
_MAX_DIRECTORY = 4 * 1024 * 1024  # about 60,000 members; zipfile needs ten times that in memory
_ENCRYPTED = 0x1
_PIECE, _PACKED = 65_536, 16_384  # most bytes to yield at once, and to unpack at once
_STORED, _DEFLATED = 0, 8  # PKWARE's APPNOTE.TXT, section 4.4.5


class Archive:
    """The members of a zip in memory.

    Parameters
    ----------
    content : bytes or bytearray
        The zip.
    max_bytes : int
        Largest size that all members together may unpack to.

    Raises
    ------
    ArtifactError
        The zip is damaged, truncated or too large, or it uses a feature that
        `training.artifact.members` never uses.
    """

    def __init__(self, content: Content, max_bytes: int) -> None:
        end = content[-22:]
        if end[:4] != _END or end[20:] != b"\0\0":
            raise ArtifactError(
                "the artifact is damaged or truncated: it does not end like a zip file"
            )
        if int.from_bytes(end[12:16], "little") > _MAX_DIRECTORY:
            raise ArtifactError("the artifact is damaged: its central directory is too large")
        members = list(_directory(content))
        if len(members) != int.from_bytes(end[10:12], "little"):
            raise ArtifactError("the artifact is damaged: its central directory is incomplete")
        self._content = memoryview(content)
        self._members = {member.name: member for member in members}
        if len(self._members) != len(members):
            raise ArtifactError("the artifact is damaged: two of its members have the same name")
        size = sum(member.size for member in members)
        if size > max_bytes:
            raise ArtifactError(
                f"the artifact unpacks to {size:,} bytes; {max_bytes:,} are allowed "
                "(MAX_ARTIFACT_BYTES)"
            )

    @property
    def names(self) -> frozenset[str]:
        """Names of the members."""
        return frozenset(self._members)

    def read(self, name: str, max_bytes: int | None = None) -> bytes:
        """Return one member, unpacked and checked.

        Parameters
        ----------
        name : str
            The member's name.
        max_bytes : int, optional
            Largest size that this member may unpack to.

        Raises
        ------
        ArtifactError
            There is no member with this name, or it is damaged or too large.
        """
        return b"".join(self.pieces(name, max_bytes))

    def pieces(self, name: str, max_bytes: int | None = None) -> Iterator[bytes | memoryview]:
        """Yield one member piece by piece, for callers that store it in another form.

        The pieces reuse the same memory. Memory that is new to a process costs as much time as
        unpacking into it.

        Parameters
        ----------
        name, max_bytes : str, int
            As for `read`.

        Raises
        ------
        ArtifactError
            As `read` raises it, at the latest after the last piece.
        """
        member = self._member(name, max_bytes)
        size = crc = 0
        for piece in self._unpacked(member):
            size += len(piece)
            crc = zlib.crc32(piece, crc)
            if size > member.size:
                break
            yield piece
        if size != member.size or crc != member.crc:
            raise _damaged(name, "its content does not match its size and checksum")

    def size(self, name: str) -> int:
        """Return the size in bytes that a member unpacks to, according to the central directory.

        Raises
        ------
        ArtifactError
            There is no member with this name.
        """
        return self._member(name, None).size

    def _member(self, name: str, max_bytes: int | None) -> "_Member":
        member = self._members.get(name)
        if member is None:
            raise ArtifactError(f"the artifact has no member {name[:80]!r}")
        if max_bytes is not None and member.size > max_bytes:
            raise ArtifactError(
                f"the artifact's {name} unpacks to {member.size:,} bytes; {max_bytes:,} are allowed"
            )
        return member

    def _unpacked(self, member: "_Member") -> Iterator[bytes | memoryview]:
        name, start = member.name, member.start
        header = bytes(self._content[start : start + 30])
        if len(header) != 30 or header[:4] != _LOCAL:
            raise _damaged(name, "it is not where the central directory says")
        if member.flags & _ENCRYPTED:
            raise _damaged(name, "it is marked as encrypted")
        # The header ends with two lengths: of the name and of the extra field, which follow it.
        start += (
            30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:], "little")
        )
        packed = self._content[start : start + member.packed]
        if member.method == _STORED:
            yield packed
            return
        if member.method != _DEFLATED:
            raise _damaged(name, "it is neither stored nor deflated")
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for at in range(0, len(packed), _PACKED):
                some: bytes | memoryview = packed[at : at + _PACKED]
                while True:
                    piece = unpacker.decompress(some, _PIECE)
                    yield piece
                    some = unpacker.unconsumed_tail
                    # After a full piece there may be more, even if all input is consumed.
                    if not some and len(piece) < _PIECE:
                        break
                if unpacker.eof:  # It would keep whatever follows, and copy it for each piece.
                    return
        except zlib.error as exc:
            raise _damaged(name, str(exc)) from exc


class _Member(NamedTuple):
    """A member's entry in the central directory: sizes, and the offset of its header, in bytes."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    start: int


def _directory(content: Content) -> Iterator[_Member]:
    """Yield the entries of the central directory of a zip that has an end record."""
    size = int.from_bytes(content[-10:-6], "little")
    at = int.from_bytes(content[-6:-2], "little")
    if at + size + 22 != len(content):
        raise ArtifactError(
            "the artifact is damaged: its central directory is not where its end record says"
        )
    end = at + size
    while at < end:
        entry = content[at : at + 46]
        lengths = [int.from_bytes(entry[i : i + 2], "little") for i in (28, 30, 32)]
        after = at + 46 + sum(lengths)  # a name, an extra field and a comment
        if entry[:4] != _ENTRY or after > end:
            raise ArtifactError("the artifact is damaged: its central directory is malformed")
        crc, packed, unpacked = (int.from_bytes(entry[i : i + 4], "little") for i in (16, 20, 24))
        yield _Member(
            # The encoding of names does not matter: those of an artifact are ASCII.
            name=content[at + 46 : at + 46 + lengths[0]].decode("utf-8", "replace"),
            flags=int.from_bytes(entry[8:10], "little"),
            method=int.from_bytes(entry[10:12], "little"),
            crc=crc,
            packed=packed,
            size=unpacked,
            start=int.from_bytes(entry[42:46], "little"),
        )
        at = after


def _damaged(name: str, reason: str) -> ArtifactError:
    return ArtifactError(f"the artifact is damaged or truncated: member {name[:80]!r}: {reason}")

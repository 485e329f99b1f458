"""A zip whose members are read one by one, from memory, and never to a path.

Of what zip allows, this is the part that an artifact needs: members that are stored or deflated, in
one file, with no comment. Sizes are checked in the directory before anything is unpacked, and
unpacking ends at the size that was checked. The directory is read here and not by `zipfile`, whose
import alone would double the time until a compiled model answers.
"""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from sklearn_api.errors import ArtifactError

Content = bytes | bytearray
"""A zip, which nobody changes any more."""

_END = b"PK\x05\x06"  # signature of the record that ends a zip, 22 bytes long without a comment
_LOCAL = b"PK\x03\x04"  # signature before a member, 30 bytes before its name
_MAX_DIRECTORY = 4 * 1024 * 1024  # some 60,000 members; zipfile keeps ten times that in memory
_ENTRY = b"PK\x01\x02"  # signature of a member in the directory, 46 bytes before its name
_ENCRYPTED = 0x1
_PIECE, _PACKED = 65_536, 16_384  # bytes that are handed over and that are unpacked at once
_STORED, _DEFLATED = 0, 8  # PKWARE's APPNOTE.TXT, section 4.4.5


class Archive:
    """The members of a zip in memory.

    Parameters
    ----------
    content : bytes or bytearray
        The zip.
    max_bytes : int
        What all members together may unpack to.

    Raises
    ------
    ArtifactError
        The zip is damaged, truncated, too large, or of a kind that `training.artifact.members`
        never writes.
    """

    def __init__(self, content: Content, max_bytes: int) -> None:
        end = content[-22:]
        if end[:4] != _END or end[20:] != b"\0\0":
            raise ArtifactError("the artifact is damaged or truncated: it does not end as a zip")
        if int.from_bytes(end[12:16], "little") > _MAX_DIRECTORY:
            raise ArtifactError("the artifact is damaged: its directory is too large")
        members = list(_directory(content))
        if len(members) != int.from_bytes(end[10:12], "little"):
            raise ArtifactError("the artifact is damaged: its directory is not complete")
        self._content = memoryview(content)
        self._members = {member.name: member for member in members}
        if len(self._members) != len(members):
            raise ArtifactError("the artifact is damaged: it has two members of one name")
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
            Of the member.
        max_bytes : int, optional
            What this one may unpack to.

        Raises
        ------
        ArtifactError
            There is none of this name, or it is damaged or too large.
        """
        return b"".join(self.pieces(name, max_bytes))

    def pieces(self, name: str, max_bytes: int | None = None) -> Iterator[bytes | memoryview]:
        """Yield the same piece by piece, for whoever keeps it in another form.

        Memory that is new to a process takes as long as unpacking into it. Pieces take up each
        other's place.

        Raises
        ------
        ArtifactError
            As `read`; at the latest after the last piece.
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
            raise _damaged(name, "its content is not what its checksum says")

    def size(self, name: str) -> int:
        """Return the bytes that a member says it unpacks to.

        Raises
        ------
        ArtifactError
            There is none of this name.
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
            raise _damaged(name, "it is not where the directory says")
        if member.flags & _ENCRYPTED:
            raise _damaged(name, "it claims to be encrypted")
        # Two lengths at the header's end: of the name and of the extra field that follow it.
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
                    # A whole piece may be a part of what has come of the last bytes.
                    if not some and len(piece) < _PIECE:
                        break
                if unpacker.eof:  # It would keep all that follows, and copy it for each piece.
                    return
        except zlib.error as exc:
            raise _damaged(name, str(exc)) from exc


class _Member(NamedTuple):
    """What the directory says of a member; sizes and the place of its header in bytes."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    start: int


def _directory(content: Content) -> Iterator[_Member]:
    """Yield what stands in a zip's directory, whose end has been found."""
    size = int.from_bytes(content[-10:-6], "little")
    at = int.from_bytes(content[-6:-2], "little")
    if at + size + 22 != len(content):
        raise ArtifactError("the artifact is damaged: its directory is not where its end says")
    end = at + size
    while at < end:
        entry = content[at : at + 46]
        lengths = [int.from_bytes(entry[i : i + 2], "little") for i in (28, 30, 32)]
        after = at + 46 + sum(lengths)  # a name, an extra field and a comment
        if entry[:4] != _ENTRY or after > end:
            raise ArtifactError("the artifact is damaged: its directory is no directory")
        crc, packed, unpacked = (int.from_bytes(entry[i : i + 4], "little") for i in (16, 20, 24))
        yield _Member(
            # Which code page a name is in plays no part: those of an artifact are ASCII.
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
    return ArtifactError(f"the artifact is damaged or truncated: {name[:80]!r}: {reason}")

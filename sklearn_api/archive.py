"""A zip whose members are read one by one, from memory, and never to a path.

Of what zip allows, this is the part that an artifact needs: members that are stored or deflated, in
one file, with no comment. Sizes are checked in the directory before anything is unpacked, and
unpacking ends at the size that was checked.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping

from sklearn_api.errors import ArtifactError

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that zip knows
_END = b"PK\x05\x06"  # signature of the record that ends a zip, 22 bytes long without a comment
_LOCAL = b"PK\x03\x04"  # signature before a member, 30 bytes before its name
_MAX_DIRECTORY = 4 * 1024 * 1024  # some 60,000 members; zipfile keeps ten times that in memory
_ENCRYPTED = 0x1
# What `zipfile` raises on damaged bytes; RuntimeError where they want what it does not implement.
_DAMAGE = (zipfile.BadZipFile, RuntimeError, ValueError, EOFError, OSError, OverflowError)


def write_archive(members: Mapping[str, bytes]) -> bytes:
    """Return members as a zip; the same members give the same bytes.

    A member that does not shrink to half is stored as it is: it would take longer to unpack than
    it saves.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in members.items():
            halves = len(zlib.compress(content, 6)) * 2 <= len(content)
            method = zipfile.ZIP_DEFLATED if halves else zipfile.ZIP_STORED
            target.writestr(zipfile.ZipInfo(name, _EPOCH), content, method, compresslevel=6)
    return buffer.getvalue()


class Archive:
    """The members of a zip in memory.

    Parameters
    ----------
    content : bytes
        The zip.
    max_bytes : int
        What all members together may unpack to.

    Raises
    ------
    ArtifactError
        The zip is damaged, truncated, too large, or of a kind that `write_archive` never writes.
    """

    def __init__(self, content: bytes, max_bytes: int) -> None:
        end = content[-22:]
        if end[:4] != _END or end[20:] != b"\0\0":
            raise ArtifactError("the artifact is damaged or truncated: it does not end as a zip")
        if int.from_bytes(end[12:16], "little") > _MAX_DIRECTORY:
            raise ArtifactError("the artifact is damaged: its directory is too large")
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as source:
                members = source.infolist()
        except _DAMAGE as exc:
            raise ArtifactError(f"the artifact is damaged or truncated: {exc}") from exc
        if len(members) != int.from_bytes(end[10:12], "little"):
            raise ArtifactError("the artifact is damaged: its directory is not complete")
        self._content = memoryview(content)
        self._members = {member.filename: member for member in members}
        if len(self._members) != len(members):
            raise ArtifactError("the artifact is damaged: it has two members of one name")
        size = sum(member.file_size for member in members)
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
        member = self._members.get(name)
        if member is None:
            raise ArtifactError(f"the artifact has no member {name[:80]!r}")
        if max_bytes is not None and member.file_size > max_bytes:
            raise ArtifactError(
                f"the artifact's {name} unpacks to {member.file_size:,} bytes; {max_bytes:,} are "
                "allowed"
            )
        content = self._unpacked(member)
        if len(content) != member.file_size or zlib.crc32(content) != member.CRC:
            raise _damaged(name, "its content is not what its checksum says")
        return content

    def _unpacked(self, member: zipfile.ZipInfo) -> bytes:
        name, start = member.filename, member.header_offset
        header = bytes(self._content[start : start + 30])
        if len(header) != 30 or header[:4] != _LOCAL:
            raise _damaged(name, "it is not where the directory says")
        if member.flag_bits & _ENCRYPTED:
            raise _damaged(name, "it claims to be encrypted")
        # Two lengths at the header's end: of the name and of the extra field that follow it.
        start += (
            30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:], "little")
        )
        packed = self._content[start : start + member.compress_size]
        if member.compress_type == zipfile.ZIP_STORED:
            return bytes(packed)
        if member.compress_type != zipfile.ZIP_DEFLATED:
            raise _damaged(name, "it is neither stored nor deflated")
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            # One byte more than it should have, so that more is noticed.
            return unpacker.decompress(packed, member.file_size + 1)
        except zlib.error as exc:
            raise _damaged(name, str(exc)) from exc


def _damaged(name: str, reason: str) -> ArtifactError:
    return ArtifactError(f"the artifact is damaged or truncated: {name[:80]!r}: {reason}")

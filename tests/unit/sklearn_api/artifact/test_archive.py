"""The zip around an artifact's members."""

import io
import tracemalloc
import zipfile

import pytest

from sklearn_api.artifact.archive import Archive
from sklearn_api.errors import ArtifactError
from training.artifact.members import write_archive

MEMBERS = {"text": b"to be or not to be, " * 50, "random": bytes(range(256)), "empty": b""}
LIMIT = 1_000_000


def zipped(method: int = zipfile.ZIP_DEFLATED, **members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return buffer.getvalue()


def test_members_are_read_as_they_were_written() -> None:
    """A member is deflated if that halves it, and the same members give the same zip."""
    content = write_archive(MEMBERS)
    assert content == write_archive(dict(MEMBERS))
    archive = Archive(content, LIMIT)
    assert {name: archive.read(name) for name in archive.names} == MEMBERS
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        packed = {one.filename for one in source.infolist() if one.compress_type}
    assert packed == {"text"}


def test_a_zip_that_unpacks_to_more_than_allowed_is_refused() -> None:
    """The limit is for the sum of all members."""
    content = write_archive(MEMBERS)
    size = sum(map(len, MEMBERS.values()))
    assert Archive(content, size).names == set(MEMBERS)
    with pytest.raises(ArtifactError, match=f"unpacks to {size:,} bytes; {size - 1:,} are allowed"):
        Archive(content, size - 1)


def test_a_member_larger_than_its_directory_entry_is_refused() -> None:
    """Unpacking a member stops when it exceeds the size in the central directory."""
    bomb = zipped(bomb=bytes(50_000_000))
    lying = bomb.replace((50_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != bomb
    with pytest.raises(ArtifactError, match="does not match its size and checksum"):
        Archive(lying, LIMIT).read("bomb")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_methods_are_refused(method: int) -> None:
    """Some of them take as much memory as the file requests."""
    with pytest.raises(ArtifactError, match="neither stored nor deflated"):
        Archive(zipped(method, text=MEMBERS["text"]), LIMIT).read("text")


def test_two_members_with_the_same_name_are_refused() -> None:
    """Of two members with the same name, different readers would read different ones."""
    content = zipped(zipfile.ZIP_STORED, aa=b"1", bb=b"2").replace(b"bb", b"aa")
    with pytest.raises(ArtifactError, match="two of its members have the same name"):
        Archive(content, LIMIT)


def test_a_directory_of_gigabytes_is_refused() -> None:
    """The directory alone could fill the memory, so its size is checked before it is read."""
    content = bytearray(write_archive(MEMBERS))
    content[-10:-6] = (2**31).to_bytes(4, "little")
    with pytest.raises(ArtifactError, match="central directory is too large"):
        Archive(bytes(content), LIMIT)


def test_every_truncation_is_refused() -> None:
    """A truncated download is refused, wherever it broke off."""
    content = write_archive(MEMBERS)
    for length in range(len(content)):
        with pytest.raises(ArtifactError, match="damaged or truncated"):
            Archive(content[:length], LIMIT)


def test_every_flipped_bit_is_refused_or_changes_nothing() -> None:
    """Whichever bit flips, all members are unchanged, or an `ArtifactError` is raised."""
    content = write_archive(MEMBERS)
    refused = 0
    for position in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[position] ^= 1 << bit
            try:
                archive = Archive(bytes(damaged), LIMIT)
                assert {archive.read(name) for name in archive.names} == set(MEMBERS.values())
            except ArtifactError as exc:
                assert str(exc)
                refused += 1
    assert refused > len(content)


def test_data_after_a_deflated_member_is_skipped() -> None:
    """Megabytes after the end of a deflated stream are skipped, not copied again and again."""
    content, junk = write_archive({"a": b"x" * 1000}), bytes(4_000_000)
    directory = content.index(b"PK\x01\x02")
    entry, end = bytearray(content[directory:-22]), bytearray(content[-22:])
    packed = int.from_bytes(entry[20:24], "little") + len(junk)
    entry[20:24] = packed.to_bytes(4, "little")
    end[16:20] = (directory + len(junk)).to_bytes(4, "little")
    archive = Archive(content[:directory] + junk + entry + end, LIMIT)
    tracemalloc.start()
    try:
        assert archive.read("a") == b"x" * 1000
        assert tracemalloc.get_traced_memory()[1] < 1_000_000  # the peak, in bytes
    finally:
        tracemalloc.stop()

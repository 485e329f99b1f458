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


def test_members_come_back_as_they_were() -> None:
    """What is written is read, packed where that halves it; the same members give the same zip."""
    content = write_archive(MEMBERS)
    assert content == write_archive(dict(MEMBERS))
    archive = Archive(content, LIMIT)
    assert {name: archive.read(name) for name in archive.names} == MEMBERS
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        packed = {one.filename for one in source.infolist() if one.compress_type}
    assert packed == {"text"}


def test_what_unpacks_to_more_than_allowed_is_not_unpacked() -> None:
    """The sum of all members counts."""
    content = write_archive(MEMBERS)
    size = sum(map(len, MEMBERS.values()))
    assert Archive(content, size).names == set(MEMBERS)
    with pytest.raises(ArtifactError, match=f"unpacks to {size:,} bytes; {size - 1:,} are allowed"):
        Archive(content, size - 1)


def test_a_directory_that_understates_a_size_is_found_out() -> None:
    """A member that unpacks to more than the directory says is refused, and not unpacked further."""
    bomb = zipped(bomb=bytes(50_000_000))
    lying = bomb.replace((50_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != bomb
    with pytest.raises(ArtifactError, match="does not match its size and checksum"):
        Archive(lying, LIMIT).read("bomb")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(method: int) -> None:
    """Some of them take as much memory as the file asks for."""
    with pytest.raises(ArtifactError, match="neither stored nor deflated"):
        Archive(zipped(method, text=MEMBERS["text"]), LIMIT).read("text")


def test_one_name_twice_is_refused() -> None:
    """Two members of one name would be read by one reader and not by the other."""
    content = zipped(zipfile.ZIP_STORED, aa=b"1", bb=b"2").replace(b"bb", b"aa")
    with pytest.raises(ArtifactError, match="two of its members have the same name"):
        Archive(content, LIMIT)


def test_a_directory_of_millions_is_refused() -> None:
    """A directory alone could fill the memory; its size is checked before it is read."""
    content = bytearray(write_archive(MEMBERS))
    content[-10:-6] = (2**31).to_bytes(4, "little")
    with pytest.raises(ArtifactError, match="central directory is too large"):
        Archive(bytes(content), LIMIT)


def test_every_end_that_is_cut_off_is_noticed() -> None:
    """A truncated download is refused, wherever it broke off."""
    content = write_archive(MEMBERS)
    for length in range(len(content)):
        with pytest.raises(ArtifactError, match="damaged or truncated"):
            Archive(content[:length], LIMIT)


def test_every_bit_that_flips_is_noticed_or_changes_nothing() -> None:
    """Each single bit may flip: members are whole, or refused in words."""
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


def test_what_follows_a_packed_member_is_not_kept() -> None:
    """Megabytes behind the end of what is deflated are passed over, not copied again and again."""
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
        assert tracemalloc.get_traced_memory()[1] < 1_000_000  # at most, in bytes
    finally:
        tracemalloc.stop()

"""Shrink shared libraries to what the loader maps into memory.

A library's program headers list what is mapped. Symbol tables for debuggers, debug information and
the section header table are not in the list; they are a tenth of the libraries in scikit-learn's
wheels. Why not `strip`: docs/decisions/0016-shrink-libraries-in-python.md. The format is that of
the System V ABI, chapters 4 and 5: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
"""

import struct
from typing import NamedTuple

ELF64_LITTLE = b"\x7fELF\x02\x01"  # 64-bit, little-endian: both of Lambda's architectures
LOAD = 1
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")


class Segment(NamedTuple):
    """A program header: `size` bytes at `offset` in the file, mapped at `address` in memory."""

    kind: int
    flags: int
    offset: int
    address: int
    physical_address: int
    size: int
    memory_size: int
    alignment: int


def segments(library: bytes) -> list[Segment]:
    """Return the segments of a 64-bit little-endian ELF file, in the order of their headers."""
    (start,) = struct.unpack_from("<Q", library, 32)
    _, count = struct.unpack_from("<HH", library, 54)
    end = start + count * PROGRAM_HEADER.size
    return [Segment(*values) for values in PROGRAM_HEADER.iter_unpack(library[start:end])]


def shrink(library: bytes) -> bytes:
    """Drop everything from a shared library that the loader does not map.

    Every segment keeps its bytes, its address and its alignment, so memory looks the same after
    loading. Only offsets in the file change; they must equal the address modulo the alignment.

    Parameters
    ----------
    library : bytes
        The file's content.

    Returns
    -------
    bytes
        The content of the smaller file. It is `library` itself if that is not a 64-bit
        little-endian ELF file, if its headers are not mapped, or if mapped parts overlap.
    """
    if not library.startswith(ELF64_LITTLE):
        return library
    (table,) = struct.unpack_from("<Q", library, 32)
    headers = segments(library)
    loads = sorted((one for one in headers if one.kind == LOAD), key=lambda one: one.offset)
    small = bytearray()
    moves: list[tuple[int, int, int]] = []  # start and end in `library`, and by how much it moves
    for load in loads:
        if moves and load.offset < moves[-1][1]:
            return library
        padding = (load.address - len(small)) % max(load.alignment, 1)
        small += bytes(padding)
        moves.append((load.offset, load.offset + load.size, len(small) - load.offset))
        small += library[load.offset : load.offset + load.size]

    def moved(offset: int, size: int) -> int | None:
        fitting = (by for start, end, by in moves if start <= offset and offset + size <= end)
        by = next(fitting, None)
        return None if by is None else offset + by

    new_table = moved(table, len(headers) * PROGRAM_HEADER.size)
    if new_table is None or moved(0, 64) != 0:
        return library
    for index, header in enumerate(headers):
        offset = moved(header.offset, header.size) if header.size else 0
        if offset is None:
            return library
        position = new_table + index * PROGRAM_HEADER.size
        PROGRAM_HEADER.pack_into(small, position, *header._replace(offset=offset))
    struct.pack_into("<QQ", small, 32, new_table, 0)  # the program headers' offset; no sections
    struct.pack_into("<HH", small, 60, 0, 0)
    return bytes(small)

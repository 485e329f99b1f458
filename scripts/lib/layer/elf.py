"""Shared libraries without what only debuggers and linkers read.

What the loader maps into memory is listed in a library's program headers. Symbol tables for
debuggers, debug information and the table of sections are not; in scikit-learn's wheels they are a
tenth of all bytes. `strip` removes them too, but its bytes differ from version to version, GNU's
knows its own machine's architecture only, and LLVM's (14) misplaces segments that the wheels' tools
have added: the loader then refuses the library. So it is done here, on the format itself (System V
ABI, chapters 4 and 5: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html).
"""

import struct
from typing import NamedTuple

ELF64_LITTLE = b"\x7fELF\x02\x01"  # Lambda's two architectures are both of this kind
LOAD = 1
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")


class Segment(NamedTuple):
    """A program header: `size` bytes at `offset` of the file, seen at `address` of memory."""

    kind: int
    flags: int
    offset: int
    address: int
    physical_address: int
    size: int
    memory_size: int
    alignment: int


def segments(library: bytes) -> list[Segment]:
    """Return the segments of a 64-bit little-endian ELF file, in its own order."""
    (start,) = struct.unpack_from("<Q", library, 32)
    _, count = struct.unpack_from("<HH", library, 54)
    end = start + count * PROGRAM_HEADER.size
    return [Segment(*values) for values in PROGRAM_HEADER.iter_unpack(library[start:end])]


def shrink(library: bytes) -> bytes:
    """Keep of a shared library what the loader maps, and nothing else.

    Every segment keeps its bytes, its address and its alignment, so that memory looks the same
    after loading; only offsets in the file change. They must equal the address, modulo the
    alignment.

    Parameters
    ----------
    library : bytes
        The file's content.

    Returns
    -------
    bytes
        The smaller file's content, or the same where this is no ELF file for Lambda, or one whose
        headers lie outside of what is mapped or whose mapped parts share bytes.
    """
    if not library.startswith(ELF64_LITTLE):
        return library
    (table,) = struct.unpack_from("<Q", library, 32)
    headers = segments(library)
    loads = sorted((one for one in headers if one.kind == LOAD), key=lambda one: one.offset)
    small = bytearray()
    moves: list[tuple[int, int, int]] = []  # of the bytes from, up to, by so many
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
    struct.pack_into("<QQ", small, 32, new_table, 0)  # where the program headers are; no sections
    struct.pack_into("<HH", small, 60, 0, 0)
    return bytes(small)

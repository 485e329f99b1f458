"""Shrinking the shared libraries of this environment, as they came in their wheels."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from scripts.lib.layer.elf import LOAD, Segment, segments, shrink

PHDR = 6  # the segment that holds the table of segments

spec = find_spec("scipy")
assert spec
assert spec.origin
PACKAGES = Path(spec.origin).parents[1]
LIBRARIES = [
    library
    for folder in ("numpy", "scipy", "sklearn", "numpy.libs", "scipy.libs", "scikit_learn.libs")
    for library in sorted((PACKAGES / folder).rglob("*.so*"))
]


def content(library: bytes, segment: Segment) -> bytes:
    """Return a segment's bytes, without the headers that hold offsets in the file."""
    begin = segment.offset
    headers = 64 + len(segments(library)) * 56 if begin == 0 else 0
    return library[begin + headers : begin + segment.size]


def test_memory_looks_the_same() -> None:
    """Every segment keeps its bytes, address and size, at an offset that the loader accepts."""
    before = after = 0
    for path in LIBRARIES:
        library = path.read_bytes()
        small = shrink(library)
        for old, new in zip(segments(library), segments(small), strict=True):
            assert new._replace(offset=old.offset) == old, path
            if new.kind != PHDR:
                assert content(small, new) == content(library, old), path
            if new.kind == LOAD:
                assert (new.address - new.offset) % new.alignment == 0, path
        before, after = before + len(library), after + len(small)
    assert len(LIBRARIES) > 150
    assert after < 0.95 * before


def test_shrinking_twice_changes_nothing() -> None:
    """A library that has been shrunk cannot be shrunk further."""
    for path in LIBRARIES[::10]:
        small = shrink(path.read_bytes())
        assert len(small) == max(one.offset + one.size for one in segments(small))
        assert shrink(small) == small


@pytest.mark.parametrize("other", [b"", b"text", b"\x7fELF\x01\x01 32 bits", b"\x7fELF\x02\x02"])
def test_other_files_are_unchanged(other: bytes) -> None:
    """A file that is not a 64-bit little-endian ELF file is returned unchanged."""
    assert shrink(other) is other

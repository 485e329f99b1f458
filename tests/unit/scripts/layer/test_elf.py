"""Shared libraries made smaller: those of this environment, as their wheels brought them."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from scripts.lib.layer.elf import LOAD, Segment, segments, shrink

PHDR = 6  # the segment that is the table of segments

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
    """Return a segment's bytes, without the headers that say where things are in the file."""
    begin = segment.offset
    headers = 64 + len(segments(library)) * 56 if begin == 0 else 0
    return library[begin + headers : begin + segment.size]


def test_memory_looks_the_same() -> None:
    """Each segment of each library keeps its bytes, address and size, where the loader wants it."""
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


def test_nothing_is_left_to_take_out() -> None:
    """A library that has been made smaller stays as it is."""
    for path in LIBRARIES[::10]:
        small = shrink(path.read_bytes())
        assert len(small) == max(one.offset + one.size for one in segments(small))
        assert shrink(small) == small


@pytest.mark.parametrize("other", [b"", b"text", b"\x7fELF\x01\x01 32 bits", b"\x7fELF\x02\x02"])
def test_other_files_stay(other: bytes) -> None:
    """What is no 64-bit little-endian ELF file is returned as it came."""
    assert shrink(other) is other

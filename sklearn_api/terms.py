"""Which column a term stands for, found without building a dict of all terms.

A vocabulary of 300,000 terms takes 100 ms and 40 MB as a dict. Here its text stays as it is: it is
sorted, and the places of every 64th term in it say in which part of it another one would stand.
What has been looked up once is kept in a dict, up to a limit.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from sklearn_api.errors import ArtifactError

EVERY = 64
"""Of how many terms the place of one is known."""

_REMEMBERED = 50_000  # terms; 9 MB


class Found(NamedTuple):
    """What is known of a term.

    Attributes
    ----------
    column : int
        Of the term.
    sign : int
        What one occurrence adds to its column: 1, -1 where terms are hashed, 0 for a term that has
        no column.
    extends : bool
        Whether there may be terms that begin with this one and a space.
    """

    column: int
    sign: int
    extends: bool


_UNKNOWN = Found(0, 0, False)
_PREFIX = Found(0, 0, True)


class Terms(dict[str, Found]):
    """What is known of terms; it is looked up when a term is asked for the first time."""

    def __missing__(self, term: str) -> Found:
        """Look a term up, and remember it."""
        found = self._find(term)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[term] = found
        return found

    def _find(self, term: str) -> Found:
        raise NotImplementedError


class SortedTerms(Terms):
    """The terms of a sorted text, one a line.

    Parameters
    ----------
    text : bytes
        In UTF-8. The n-th line is the term of column n, and greater than the line before it.
    places : sequence of int
        Where in the text every `EVERY`-th term begins, from the first one on.
    count : int
        Number of terms.

    Raises
    ------
    ArtifactError
        The places are not those of the text.
    """

    def __init__(self, text: bytes, places: Sequence[int], count: int) -> None:
        super().__init__()
        self._text = text
        self._count = count
        self._places = [*places, len(text)]
        heads = []
        for place in places:
            end = text.find(b"\n", place)
            heads.append(text[place : end if end >= 0 else None])
            if place and text[place - 1] != 0x0A:
                raise ArtifactError("the artifact's vocabulary is not divided where it says")
        if len(heads) != -(-count // EVERY) or self._places[0] != 0 or heads != sorted(heads):
            raise ArtifactError("the artifact's vocabulary is not divided where it says")
        self._heads = heads

    def _find(self, term: str) -> Found:
        # What UTF-8 does not know is in no text. A line feed would seem to be one between terms.
        key = term.encode("utf-8", "surrogatepass")
        if b"\n" in key:
            return _UNKNOWN
        extends = self._extends(key + b" ")
        column = self._column(key)
        if column is None:
            return _PREFIX if extends else _UNKNOWN
        return Found(column, 1, extends)

    def _column(self, key: bytes) -> int | None:
        block = bisect_right(self._heads, key) - 1
        if block < 0:
            return None
        column = block * EVERY
        if self._heads[block] == key:
            return column
        start, end = self._places[block], self._places[block + 1]
        at = self._text.find(b"\n" + key + b"\n", start, end)
        if at < 0:
            # No line feed follows the very last term.
            if end < len(self._text) or not self._text.endswith(b"\n" + key):
                return None
            at = end - len(key) - 1
        column += self._text.count(b"\n", start, at + 1)
        if column >= self._count:
            raise ArtifactError("the artifact's vocabulary has more terms than it says")
        return column

    def _extends(self, prefix: bytes) -> bool:
        """Whether a term begins with a prefix: the first that is not less, if any."""
        block = bisect_right(self._heads, prefix)
        if block < len(self._heads) and self._heads[block].startswith(prefix):
            return True
        if not block:
            return False
        start, end = self._places[block - 1], self._places[block]
        return self._heads[block - 1] == prefix or self._text.find(b"\n" + prefix, start, end) >= 0


class ListedTerms(Terms):
    """The terms of a list, of any characters and in any order.

    Parameters
    ----------
    terms : sequence of str
        The n-th one is the term of column n.
    """

    def __init__(self, terms: Sequence[str]) -> None:
        super().__init__()
        self._columns = {term: column for column, term in enumerate(terms)}

    def _find(self, term: str) -> Found:
        column = self._columns.get(term)
        return _PREFIX if column is None else Found(column, 1, True)


class HashedTerms(Terms):
    """Columns of terms by their hash, as `HashingVectorizer` finds them.

    Parameters
    ----------
    count : int
        Number of columns.
    signed : bool
        Whether half of the terms count negatively.
    """

    def __init__(self, count: int, signed: bool) -> None:
        super().__init__()
        self._count = count
        self._signed = signed

    def _find(self, term: str) -> Found:
        number = murmur3(term.encode())
        # scikit-learn's way around the number that has no positive counterpart in 32 bits.
        size = 2**31 - self._count if number == -(2**31) else abs(number)
        return Found(size % self._count, -1 if self._signed and number < 0 else 1, True)


def murmur3(key: bytes) -> int:
    """Return MurmurHash3 (x86, 32 bits, seed 0) as a signed number.

    A. Appleby's reference: https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
    """
    number = 0
    whole = len(key) & ~3
    for at in range(0, whole, 4):
        number ^= _scrambled(int.from_bytes(key[at : at + 4], "little"))
        number = (number << 13 | number >> 19) & 0xFFFFFFFF
        number = (number * 5 + 0xE6546B64) & 0xFFFFFFFF
    if whole < len(key):
        number ^= _scrambled(int.from_bytes(key[whole:], "little"))
    number ^= len(key)
    number = ((number ^ number >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
    number = ((number ^ number >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
    number ^= number >> 16
    return number - 2**32 if number >= 2**31 else number


def _scrambled(block: int) -> int:
    block = (block * 0xCC9E2D51) & 0xFFFFFFFF
    block = (block << 15 | block >> 17) & 0xFFFFFFFF
    return (block * 0x1B873593) & 0xFFFFFFFF

"""Finds the column of a term without building a dict of all terms.

A vocabulary of 300,000 terms takes 100 ms and 40 MB as a dict. Here it stays a sorted text. The
offset of every 64th term is known, which says in which block of 64 terms another one would be.
Terms that have been looked up are cached in a dict, up to a limit. If the vocabulary is small
enough for that limit, a block is cached as a whole when a second term is looked up in it.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, cast

from sklearn_api.errors import ArtifactError

EVERY = 64
"""Number of terms in a block, whose first term has a known offset."""

Counts = tuple[Sequence[int], list[int]]
"""Columns, each once except for `NONE`, and how often their terms occur."""

NONE = -1
"""The column of a term that is not in the vocabulary."""

_MAX_CACHED = 100_000  # terms; 15 MB
_MAX_WHOLE = 80_000  # terms of a vocabulary that may be cached completely


def picked(holder: Any, keys: Sequence[Any]) -> Sequence[Any]:
    """Return the values of a sequence or a mapping at some keys; quicker than one by one."""
    if len(keys) > 1:  # for a single key, an `itemgetter` returns no tuple
        return cast("Sequence[Any]", itemgetter(*keys)(holder))
    return [holder[key] for key in keys]


class Terms(dict[str, int]):
    """Columns of terms, or `NONE`; each is looked up the first time that it is needed."""

    def __missing__(self, term: str) -> int:
        """Look a term up, and cache its column."""
        column = self._find(term)
        if len(self) >= _MAX_CACHED:
            self._forget()
        self[term] = column
        return column

    def _find(self, term: str) -> int:
        raise NotImplementedError

    def _forget(self) -> None:
        """Drop terms without a column from the cache, or everything if that frees little."""
        for term in [term for term, column in self.items() if column == NONE]:
            del self[term]
        if len(self) > _MAX_WHOLE:
            self.clear()

    def count(self, counts: Mapping[str, int]) -> Counts:
        """Return the columns of terms, given how often each term occurs.

        Several of them may be `NONE`.
        """
        return picked(self, list(counts)), list(counts.values())

    def count_ngrams(self, tokens: list[str], shortest: int, longest: int) -> Counts:
        """Return the columns of n-grams, which join their tokens by spaces.

        Parameters
        ----------
        tokens : list of str
            In the order of the text.
        shortest, longest : int
            Number of tokens in an n-gram.
        """
        grams: list[str] = []
        for length in range(shortest, min(longest, len(tokens)) + 1):
            grams += map(" ".join, zip(*(tokens[at:] for at in range(length)), strict=False))
        return self.count(Counter(grams))


class SortedTerms(Terms):
    """The terms of a sorted text, one per line.

    Parameters
    ----------
    text : bytes
        In UTF-8. Line n is the term of column n, and greater than the line before it.
    places : sequence of int
        Offsets in the text of every `EVERY`-th term, starting with the first.
    count : int
        Number of terms.

    Raises
    ------
    ArtifactError
        The offsets do not belong to the text.
    """

    def __init__(self, text: bytes, places: Sequence[int], count: int) -> None:
        super().__init__()
        self._text = text
        self._count = count
        self._places = [*places, len(text)]
        heads = []
        if max(places, default=0) >= len(text) + 1:
            raise ArtifactError("the offsets of the artifact's vocabulary are wrong")
        for place in places:
            end = text.find(b"\n", place)
            heads.append(text[place : end if end >= 0 else None])
            if place and text[place - 1] != 0x0A:
                raise ArtifactError("the offsets of the artifact's vocabulary are wrong")
        if len(heads) != -(-count // EVERY) or self._places[0] != 0 or heads != sorted(heads):
            raise ArtifactError("the offsets of the artifact's vocabulary are wrong")
        self._heads = heads
        # Number of look-ups in each block, up to two.
        self._lookups = bytearray(len(heads)) if count <= _MAX_WHOLE else None

    @property
    def count_terms(self) -> int:
        """Number of terms."""
        return self._count

    def _find(self, term: str) -> int:
        # The text contains no lone surrogate. A line feed would look like a separator.
        key = term.encode("utf-8", "surrogatepass")
        if b"\n" in key:
            return NONE
        block = bisect_right(self._heads, key) - 1
        if self._lookups and block >= 0 and self._lookups[block] < 2:
            self._lookups[block] += 1
            if self._lookups[block] == 2:
                self.update(self._block(block))
        return self._column(key, block)

    def _block(self, block: int) -> Iterable[tuple[str, int]]:
        """Return the terms of a block and their columns."""
        first, end = block * EVERY, self._places[block + 1]
        terms = _decoded(self._text[self._places[block] : end - (end < len(self._text))])
        return zip(terms, range(first, first + EVERY), strict=False)

    def _column(self, key: bytes, block: int) -> int:
        if block < 0:
            return NONE
        column = block * EVERY
        if self._heads[block] == key:
            return column
        start, end = self._places[block], self._places[block + 1]
        at = self._text.find(b"\n" + key + b"\n", start, end)
        if at < 0:
            # The very last term is not followed by a line feed.
            if end < len(self._text) or not self._text.endswith(b"\n" + key):
                return NONE
            at = end - len(key) - 1
        column += self._text.count(b"\n", start, at + 1)
        if column >= self._count:
            raise ArtifactError("the artifact's vocabulary has more terms than it says")
        return column


class ListedTerms(Terms):
    """The terms of a list, with any characters and in any order.

    Parameters
    ----------
    terms : sequence of str
        The index of a term is its column.
    """

    def __init__(self, terms: Sequence[str]) -> None:
        super().__init__()
        self._columns = {term: column for column, term in enumerate(terms)}

    def _find(self, term: str) -> int:
        return self._columns.get(term, NONE)


class HashedTerms(Terms):
    """Columns of terms by their hash, as `HashingVectorizer` computes them.

    A term that counts negatively is cached as -2 minus its column.

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

    def _find(self, term: str) -> int:
        number = murmur3(term.encode())
        # scikit-learn's way around the one number without a positive counterpart in 32 bits.
        column = (2**31 - self._count if number == -(2**31) else abs(number)) % self._count
        return -2 - column if self._signed and number < 0 else column

    def count(self, counts: Mapping[str, int]) -> Counts:
        """Return the columns of terms; the counts of terms that share a column are added."""
        added: dict[int, int] = {}
        for term, number in counts.items():
            column = self[term]
            if column < 0:
                column, number = -2 - column, -number
            added[column] = added.get(column, 0) + number
        return list(added), list(added.values())


def _decoded(lines: bytes) -> list[str]:
    try:
        return lines.decode().split("\n")
    except UnicodeDecodeError as exc:
        raise ArtifactError(f"the artifact's vocabulary is not in UTF-8: {exc}") from exc


def murmur3(key: bytes) -> int:
    """Return MurmurHash3 (x86, 32 bits, seed 0) as a signed integer.

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

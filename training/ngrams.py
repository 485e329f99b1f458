"""Count n-grams in arrays instead of dictionaries.

scikit-learn's `CountVectorizer` keeps every n-gram that occurs as a string in a dictionary before
it drops the rare ones: on 25,000 long reviews those are millions, and gigabytes. Here a word is a
number, and an n-gram is the number of its first n - 1 words beside that of its last one. No n-gram
is more frequent than its parts, so what is rare is dropped on the way (R. Agrawal and R. Srikant,
Fast Algorithms for Mining Association Rules, 1994). What comes out is the same.
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Numbers = NDArray[np.int64]


def count(
    texts: Iterable[str], *, token_pattern: str, longest: int, min_df: int
) -> tuple[csr_matrix, list[str]]:
    """Count the n-grams of texts, in lower case.

    Parameters
    ----------
    texts : iterable of str
        Shape ``(n,)``.
    token_pattern : str
        Regular expression of a word, without groups that capture.
    longest : int
        Words in the longest n-grams; the shortest are single words.
    min_df : int
        How many texts an n-gram must occur in to be counted.

    Returns
    -------
    counts : csr_matrix of int32
        Shape ``(n, terms)``: what `CountVectorizer` counts, but for the order of the columns.
    terms : list of str
        What each column counts, its words joined by spaces.
    """
    words, lengths, vocabulary = _words(texts, token_pattern)
    rows, base = len(lengths), len(vocabulary)
    owner = np.repeat(np.arange(rows), lengths)  # the text that each word stands in
    numbers, cells = _frequent(words, owner, rows, min_df)
    terms = names = [word for word, number in zip(vocabulary, numbers, strict=True) if number >= 0]
    parts = [cells]
    starts = numbers[words]  # the n-gram that begins at each word, -1 where it is rare
    for n in range(2, longest + 1):
        # An n-gram can be frequent where two frequent (n - 1)-grams overlap in one text.
        ends = owner[n - 1 :]
        begins = owner[: len(ends)]
        where = np.flatnonzero((begins == ends) & (starts[:-1] >= 0) & (starts[1:] >= 0))
        pairs, codes = np.unique(starts[where] * base + words[where + n - 1], return_inverse=True)
        numbers, (row, column, times) = _frequent(codes, owner[where], rows, min_df)
        split = (divmod(pair, base) for pair in pairs[numbers >= 0].tolist())
        names = [f"{names[first]} {vocabulary[last]}" for first, last in split]
        parts.append((row, column + len(terms), times))
        terms = terms + names
        starts = np.full(len(ends), -1)
        starts[where] = numbers[codes]
    row, column, times = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    shape = (rows, len(terms))
    return csr_matrix((times.astype(np.int32), (row, column)), shape=shape), terms


def _frequent(
    codes: Numbers, owner: Numbers, rows: int, min_df: int
) -> tuple[Numbers, tuple[Numbers, Numbers, Numbers]]:
    """Number the codes that stand in enough texts, and count them.

    Parameters
    ----------
    codes, owner : ndarray of int
        Shape ``(places,)``: which code, all from 0 on being used, and in which text.
    rows, min_df : int
        Texts in all, and how many are enough.

    Returns
    -------
    numbers : ndarray of int
        Shape ``(codes,)``: the new number of each code, -1 for those that are dropped.
    cells : tuple of ndarray of int
        Text, new number, and how often the one holds the other.
    """
    found, times = np.unique(codes * rows + owner, return_counts=True)
    column, row = np.divmod(found, rows)
    enough = np.bincount(column) >= min_df
    numbers = np.where(enough, np.cumsum(enough) - 1, -1)
    kept = enough[column]
    return numbers, (row[kept], numbers[column[kept]], times[kept])


def _words(texts: Iterable[str], pattern: str) -> tuple[Numbers, list[int], list[str]]:
    """Return all words as numbers, one text after the other, and what the numbers stand for."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__  # a new word gets the next number
    find = re.compile(pattern).findall
    words = array("q")
    lengths = []
    for text in texts:
        before = len(words)
        words.extend(map(numbers.__getitem__, find(text.lower())))
        lengths.append(len(words) - before)
    return np.frombuffer(words, dtype=np.int64), lengths, list(numbers)

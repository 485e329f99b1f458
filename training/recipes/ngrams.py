"""Counts n-grams in arrays instead of dictionaries, with the same result as scikit-learn.

scikit-learn's `CountVectorizer` keeps every n-gram as a string in a dictionary before it drops the
rare ones: for 25,000 long reviews, millions of strings and gigabytes. Here a word is a number, and
an n-gram is a pair of numbers: of its first n - 1 words, and of its last word. No n-gram is more
frequent than its parts, so rare ones are dropped at each length (R. Agrawal and R. Srikant, Fast
Algorithms for Mining Association Rules, 1994).
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
    texts: Iterable[str], *, token_pattern: str, longest: int, min_df: int, joiner: str = " "
) -> tuple[csr_matrix, list[str]]:
    """Count the n-grams of texts in lower case.

    Parameters
    ----------
    texts : iterable of str
        Shape ``(n,)``.
    token_pattern : str
        Regular expression of a word, without capturing groups.
    longest : int
        Number of words in the longest n-grams; the shortest are single words.
    min_df : int
        Number of texts that an n-gram must occur in to be counted.
    joiner : str
        What joins the words of an n-gram in its name.

    Returns
    -------
    counts : csr_matrix of int32
        Shape ``(n, terms)``: the counts of `CountVectorizer`, with the columns in another order.
    terms : list of str
        The n-gram of each column, its words joined by `joiner`.
    """
    words, lengths, vocabulary = _words(texts, token_pattern)
    rows, base = len(lengths), len(vocabulary)
    owner = np.repeat(np.arange(rows), lengths)  # the text that each word occurs in
    numbers, cells = _frequent(words, owner, rows, min_df)
    terms = names = [word for word, number in zip(vocabulary, numbers, strict=True) if number >= 0]
    parts = [cells]
    starts = numbers[words]  # the n-gram that starts at each word, -1 if it is rare
    for n in range(2, longest + 1):
        # An n-gram can be frequent where two frequent (n - 1)-grams overlap in one text.
        ends = owner[n - 1 :]
        begins = owner[: len(ends)]
        where = np.flatnonzero((begins == ends) & (starts[:-1] >= 0) & (starts[1:] >= 0))
        pairs, codes = np.unique(starts[where] * base + words[where + n - 1], return_inverse=True)
        numbers, (row, column, times) = _frequent(codes, owner[where], rows, min_df)
        split = (divmod(pair, base) for pair in pairs[numbers >= 0].tolist())
        names = [f"{names[first]}{joiner}{vocabulary[last]}" for first, last in split]
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
    """Number the codes that occur in enough texts, and count them.

    Parameters
    ----------
    codes, owner : ndarray of int
        Shape ``(occurrences,)``: the code of each occurrence (every code from 0 up to the largest
        one occurs), and its text.
    rows, min_df : int
        Number of texts, and number of texts that a code must occur in.

    Returns
    -------
    numbers : ndarray of int
        Shape ``(codes,)``: the new number of each code, -1 for the dropped ones.
    cells : tuple of ndarray of int
        Text, new number, and the number of its occurrences in the text.
    """
    found, times = np.unique(codes * rows + owner, return_counts=True)
    column, row = np.divmod(found, rows)
    enough = np.bincount(column) >= min_df
    numbers = np.where(enough, np.cumsum(enough) - 1, -1)
    kept = enough[column]
    return numbers, (row[kept], numbers[column[kept]], times[kept])


def _words(texts: Iterable[str], pattern: str) -> tuple[Numbers, list[int], list[str]]:
    """Return the words of all texts as numbers, the length of each text, and the vocabulary."""
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

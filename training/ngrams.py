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
    rows = len(lengths)
    owner = np.repeat(np.arange(rows), lengths)  # the text that each word stands in
    codes, where = words, np.arange(len(words))
    names = vocabulary
    terms: list[str] = []
    cells: list[tuple[Numbers, Numbers, Numbers]] = []
    for n in range(1, longest + 1):
        if n > 1:
            # An n-gram may begin where two (n - 1)-grams follow each other in one text.
            ends = owner[n - 1 :]
            begins = owner[: len(ends)]
            possible = (begins == ends) & (kept[:-1] >= 0) & (kept[1:] >= 0)
            where = np.flatnonzero(possible)
            pairs, codes = np.unique(
                kept[where] * len(vocabulary) + words[where + n - 1], return_inverse=True
            )
        found, times = np.unique(codes * rows + owner[where], return_counts=True)
        column, row = np.divmod(found, rows)
        enough = np.bincount(column) >= min_df
        number = np.where(enough, np.cumsum(enough) - 1, -1)  # of what is kept, -1 for the rest
        if n == 1:
            names = [word for word, keep in zip(vocabulary, enough.tolist(), strict=True) if keep]
        else:
            split = (divmod(pair, len(vocabulary)) for pair in pairs[enough].tolist())
            names = [f"{names[first]} {vocabulary[last]}" for first, last in split]
        keep = enough[column]
        cells.append((row[keep], number[column[keep]] + len(terms), times[keep]))
        terms += names
        kept = np.full(max(0, len(words) - n + 1), -1, dtype=np.int64)
        kept[where] = number[codes]
        if not names:
            break
    row, column, times = (np.concatenate(parts) for parts in zip(*cells, strict=True))
    shape = (rows, len(terms))
    return csr_matrix((times.astype(np.int32), (row, column)), shape=shape), terms


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

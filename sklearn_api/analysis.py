"""From a text to counted terms, as scikit-learn's vectorizers count them.

What stands here does step by step what `sklearn.feature_extraction.text` does, for the analyzers
that it has itself. It counts columns and not terms, and does not make an n-gram with which no term
begins.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator

from sklearn_api.terms import Terms

Analyzer = Callable[[str], dict[int, int]]
"""From a text to the number of occurrences by column."""


def preprocessor(lowercase: bool, accents: str | None) -> Callable[[str], str]:
    """Return what a vectorizer does to a text first.

    Parameters
    ----------
    lowercase : bool
        Whether letters are made small.
    accents : str or None
        How accents are removed after that: ``unicode``, ``ascii`` or not at all.
    """
    strip = None if accents is None else {"unicode": _unaccented, "ascii": _ascii}[accents]

    def preprocess(text: str) -> str:
        if lowercase:
            text = text.lower()
        return strip(text) if strip else text

    return preprocess


def _unaccented(text: str) -> str:
    if text.isascii():
        return text
    normalized = unicodedata.normalize("NFKD", text)
    return "".join(char for char in normalized if not unicodedata.combining(char))


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


def word_analyzer(
    terms: Terms, pattern: str, stop_words: Collection[str] | None, shortest: int, longest: int
) -> Analyzer:
    """Return an analyzer of n-grams of words.

    Parameters
    ----------
    terms : Terms
        The columns.
    pattern : str
        Regular expression of a word, with one group at most.
    stop_words : collection of str or None
        Words that are left out.
    shortest, longest : int
        Number of words in an n-gram.
    """
    tokenize = re.compile(pattern).findall

    def analyze(text: str) -> dict[int, int]:
        tokens = tokenize(text)
        if stop_words is not None:
            tokens = [token for token in tokens if token not in stop_words]
        counts: dict[int, int] = {}
        for start, term in enumerate(tokens):
            column, sign, extends = terms[term]
            if sign and shortest == 1:
                counts[column] = counts.get(column, 0) + sign
            for length in range(2, min(longest, len(tokens) - start) + 1):
                if not extends:
                    break
                term += " " + tokens[start + length - 1]
                column, sign, extends = terms[term]
                if sign and length >= shortest:
                    counts[column] = counts.get(column, 0) + sign
        return counts

    return analyze


def char_analyzer(terms: Terms, shortest: int, longest: int) -> Analyzer:
    """Return an analyzer of n-grams of characters; see `word_analyzer`."""

    def analyze(text: str) -> dict[int, int]:
        return _count(terms, _grams(_spaced(text), shortest, longest))

    return analyze


def inner_char_analyzer(terms: Terms, shortest: int, longest: int) -> Analyzer:
    """Return an analyzer of n-grams of characters inside words (`char_wb`).

    A space stands before and after each word. A word that is not longer than an n-gram is counted
    once, for the shortest of such n-grams.
    """

    def grams(text: str) -> Iterator[str]:
        for word in _spaced(text).split():
            padded = f" {word} "
            yield from _grams(padded, min(shortest, len(padded)), longest)

    def analyze(text: str) -> dict[int, int]:
        return _count(terms, grams(text))

    return analyze


def _spaced(text: str) -> str:
    return re.sub(r"\s\s+", " ", text)


def _grams(text: str, shortest: int, longest: int) -> Iterator[str]:
    for length in range(shortest, min(longest, len(text)) + 1):
        for start in range(len(text) - length + 1):
            yield text[start : start + length]


def _count(terms: Terms, grams: Iterable[str]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for gram in grams:
        column, sign, _ = terms[gram]
        if sign:
            counts[column] = counts.get(column, 0) + sign
    return counts

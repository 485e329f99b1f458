"""Counts the terms of a text as scikit-learn's vectorizers do.

Step by step this is what `sklearn.feature_extraction.text` does with its built-in analyzers. ASCII
texts are split into words without a regular expression.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection

from sklearn_api.compiled.terms import NONE, Counts, Terms

Analyzer = Callable[[str], Counts]

# The usual token patterns: whether a single character can be a word, and which characters are words
# besides letters, digits and underscores.
_WORDS = {
    r"(?u)\b\w\w+\b": (False, ""),
    r"(?u)\b\w+\b": (True, ""),
    r"(?u)\b\w+\b|[!?]": (True, "!?"),
}
_CHARACTERS = {chr(code) for code in range(128) if chr(code).isalnum() or chr(code) == "_"}
_SEPARATORS = {code: " " for code in range(128) if chr(code) not in _CHARACTERS}


def preprocessor(lowercase: bool, accents: str | None) -> Callable[[str], str]:
    """Return the preprocessing step of a vectorizer.

    Parameters
    ----------
    lowercase : bool
        Whether to convert the text to lower case.
    accents : str or None
        How to strip accents after that: ``unicode``, ``ascii`` or not at all.
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
        Columns of the terms.
    pattern : str
        Regular expression of a word, with at most one group.
    stop_words : collection of str or None
        Words to leave out.
    shortest, longest : int
        Number of words in an n-gram.
    """
    if longest == 1 and pattern in _WORDS:
        return _counter(terms, pattern, stop_words)
    tokenize = tokenizer(pattern)

    def analyze(text: str) -> Counts:
        tokens = tokenize(text)
        if stop_words is not None:
            tokens = [token for token in tokens if token not in stop_words]
        return terms.count_ngrams(tokens, shortest, longest)

    return analyze


def _counter(terms: Terms, pattern: str, stop_words: Collection[str] | None) -> Analyzer:
    """Return an analyzer of single words, which counts before it leaves any out."""
    split, single = _splitter(pattern)
    words = set(() if stop_words is None else stop_words)
    if not single:
        words |= _CHARACTERS
    left_out: set[str] | None = None

    def analyze(text: str) -> Counts:
        nonlocal left_out
        if left_out is None:  # a word without a column needs no leaving out
            left_out = {word for word in words if terms[word] != NONE}
        counts = Counter(split(text))
        for word in left_out & counts.keys():
            del counts[word]
        return terms.count(counts)

    return analyze


def tokenizer(pattern: str) -> Callable[[str], list[str]]:
    """Return a function that splits a text into words.

    Parameters
    ----------
    pattern : str
        Regular expression of a word, with at most one group.
    """
    if pattern not in _WORDS:
        return re.compile(pattern).findall
    split, single = _splitter(pattern)
    if single:
        return split
    return lambda text: [word for word in split(text) if len(word) > 1]


def _splitter(pattern: str) -> tuple[Callable[[str], list[str]], bool]:
    """Return a function that splits a text, and whether single characters in its result are words.

    If they are not, they occur only in ASCII texts.
    """
    find = re.compile(pattern).findall
    single, marks = _WORDS[pattern]
    separators = {code: to for code, to in _SEPARATORS.items() if chr(code) not in marks}

    def split(text: str) -> list[str]:
        if not text.isascii():
            return find(text)
        for mark in marks:
            text = text.replace(mark, f" {mark} ")
        return text.translate(separators).split()

    return split, single


def char_analyzer(terms: Terms, shortest: int, longest: int) -> Analyzer:
    """Return an analyzer of n-grams of characters; see `word_analyzer`."""

    def analyze(text: str) -> Counts:
        return terms.count(Counter(_grams(_spaced(text), shortest, longest)))

    return analyze


def inner_char_analyzer(terms: Terms, shortest: int, longest: int) -> Analyzer:
    """Return an analyzer of n-grams of characters inside words (`char_wb`).

    Each word is padded with a space on both sides. A word that is no longer than an n-gram is
    counted once, for the shortest such n-gram.
    """

    def analyze(text: str) -> Counts:
        grams: list[str] = []
        for word in _spaced(text).split():
            padded = f" {word} "
            grams += _grams(padded, min(shortest, len(padded)), longest)
        return terms.count(Counter(grams))

    return analyze


def _spaced(text: str) -> str:
    return re.sub(r"\s\s+", " ", text)


def _grams(text: str, shortest: int, longest: int) -> list[str]:
    return [
        text[start : start + length]
        for length in range(shortest, min(longest, len(text)) + 1)
        for start in range(len(text) - length + 1)
    ]

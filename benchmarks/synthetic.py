"""Makes vocabularies, models and reviews of any size, which are the same in every run."""

import random
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
_DOCUMENTS = 200


def vocabulary(count: int) -> list[str]:
    """Return `count` different terms of two to five syllables.

    A larger vocabulary starts with the terms of a smaller one.
    """
    choices = random.Random(0)  # noqa: S311  # it makes words, not secrets
    terms: dict[str, None] = {}
    while len(terms) < count:
        length = choices.randint(2, 5)
        terms["".join(choices.choices(_SYLLABLES, k=length))] = None
    return list(terms)


def pipeline(terms: Sequence[str]) -> Any:
    """Return a fitted TF-IDF and linear SVM pipeline with exactly these terms.

    Parameters
    ----------
    terms : sequence of str
        At least 200.
    """
    documents = [" ".join(terms[start::_DOCUMENTS]) for start in range(_DOCUMENTS)]
    made: Pipeline = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0))
    return made.fit(documents, [number % 2 for number in range(_DOCUMENTS)])


def review(terms: Sequence[str], words: int, seed: int = 0) -> str:
    """Return a review with this number of words; see `reviews`. It depends on the seed."""
    return reviews(terms, words, 1, seed)[0]


def reviews(terms: Sequence[str], words: int, count: int, seed: int = 0) -> list[str]:
    """Return reviews with this number of words and the frequencies of natural text.

    By Zipf's law, the n-th term of the vocabulary is 1/n as frequent as the first.
    """
    choices = random.Random(seed)  # noqa: S311  # it makes words, not secrets
    weights = list(accumulate(1 / rank for rank in range(1, len(terms) + 1)))
    return [" ".join(choices.choices(terms, cum_weights=weights, k=words)) for _ in range(count)]

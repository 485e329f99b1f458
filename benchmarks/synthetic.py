"""Made-up vocabularies, models and reviews of any size, the same in every run."""

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
    """Return different terms that can be pronounced, of two to five syllables.

    A larger vocabulary begins with a smaller one.
    """
    choices = random.Random(0)  # noqa: S311  # words, not secrets
    terms: dict[str, None] = {}
    while len(terms) < count:
        length = choices.randint(2, 5)
        terms["".join(choices.choices(_SYLLABLES, k=length))] = None
    return list(terms)


def pipeline(terms: Sequence[str]) -> Any:
    """Return a fitted TF-IDF and linear SVM pipeline that knows exactly these terms.

    Parameters
    ----------
    terms : sequence of str
        At least 200.
    """
    documents = [" ".join(terms[start::_DOCUMENTS]) for start in range(_DOCUMENTS)]
    made: Pipeline = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0))
    return made.fit(documents, [number % 2 for number in range(_DOCUMENTS)])


def review(terms: Sequence[str], words: int, seed: int = 0) -> str:
    """Return a review of so many words; another seed gives another one. See `reviews`."""
    return reviews(terms, words, 1, seed)[0]


def reviews(terms: Sequence[str], words: int, count: int, seed: int = 0) -> list[str]:
    """Return reviews of so many words, the n-th term of the vocabulary 1/n as often as the first.

    Natural texts are like that (Zipf's law): most of their words are few.
    """
    choices = random.Random(seed)  # noqa: S311  # words, not secrets
    weights = list(accumulate(1 / rank for rank in range(1, len(terms) + 1)))
    return [" ".join(choices.choices(terms, cum_weights=weights, k=words)) for _ in range(count)]

"""An artifact compared with a pickle of the same pipeline."""

import random

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from benchmarks.artifact import compare


def test_an_artifact_is_no_larger_than_a_pickle() -> None:
    """A text model of 75,000 terms is no larger, and is loaded from both."""
    letters = random.Random(0)  # noqa: S311  # it makes words, not secrets
    words = ["".join(letters.choices("aeioudlmnrst", k=8)) for _ in range(75_000)]
    texts = [" ".join(words[start : start + 1500]) for start in range(0, len(words), 1500)]
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0))
    found = compare(pipeline.fit(texts, [number % 2 for number in range(len(texts))]), rounds=1)
    assert len(pipeline[0].vocabulary_) > 74_000
    assert found.size_ratio <= 1
    assert found.load_ratio > 0

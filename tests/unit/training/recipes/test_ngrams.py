"""N-gram counts: equal to scikit-learn's, computed in another way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from training.dataset import read_dataset
from training.options import Options
from training.recipes.ngrams import count
from training.recipes.texts import BEST

PATTERN = BEST.token_pattern
# Few words, so that they recur in many orders; among them upper case, and tokens that are no words.
WORDS = st.sampled_from(["good", "Bad", "a", "!", "?", "ÉTÉ", "x1", "...", "don't"])
TEXTS = st.lists(st.lists(WORDS, max_size=8).map(" ".join), min_size=1, max_size=12)


def compare(texts: list[str], longest: int, min_df: int) -> None:
    theirs = CountVectorizer(token_pattern=PATTERN, ngram_range=(1, longest), min_df=1)
    counts, terms = count(texts, token_pattern=PATTERN, longest=longest, min_df=min_df)
    assert counts.shape == (len(texts), len(terms))
    try:
        expected = theirs.fit_transform(texts)
    except ValueError:  # scikit-learn refuses texts without words
        assert terms == []
        return
    names = theirs.get_feature_names_out()
    enough = np.asarray((expected > 0).sum(axis=0)).ravel() >= min_df
    order = np.argsort(terms)
    assert [terms[index] for index in order] == names[enough].tolist()
    assert (counts[:, order] != expected[:, enough]).nnz == 0


@given(TEXTS, st.integers(1, 4), st.integers(1, 3))
def test_texts_of_all_kinds_are_counted_like_scikit_learn_does(
    texts: list[str], longest: int, min_df: int
) -> None:
    """The same terms with the same counts, also for empty and short texts and repetitions."""
    compare(texts, longest, min_df)


@pytest.mark.parametrize(("longest", "min_df"), [(1, 1), (2, 1), (4, 2), (3, 5)])
def test_reviews_are_counted_like_scikit_learn_does(longest: int, min_df: int) -> None:
    """The same terms with the same counts for the sample, with thousands of terms."""
    compare(read_dataset(Options()).rows, longest, min_df)

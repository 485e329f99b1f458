"""Recipes: each becomes a pipeline of scikit-learn's own estimators."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from training.data import Reviews, read
from training.recipes import ARTICLE, BEST, CHARACTERS, RECIPES, Recipe

SMALLER = replace(BEST, terms=500)


@pytest.fixture(scope="module")
def reviews() -> Reviews:
    """The sample reviews."""
    return read()


def fit(recipe: Recipe, reviews: Reviews, seed: int = 0) -> Pipeline:
    counts, terms = recipe.count(reviews.texts)
    return recipe.pipeline(recipe.estimator(seed).fit(counts, reviews.labels), terms)


def test_the_article_recipe_is_scikit_learn_with_its_defaults(reviews: Reviews) -> None:
    """`article` scores exactly as `TfidfVectorizer()` and `LinearSVC()` do."""
    defaults = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0))
    defaults.fit(reviews.texts, reviews.labels)
    ours = fit(ARTICLE, reviews)
    np.testing.assert_array_equal(
        ours.decision_function(reviews.texts), defaults.decision_function(reviews.texts)
    )
    assert ours[0].vocabulary_ == defaults[0].vocabulary_
    unfitted = TfidfVectorizer().get_params()
    assert {**ours[0].get_params(), "ngram_range": (1, 1)} == unfitted


@pytest.mark.parametrize("recipe", [*RECIPES.values(), SMALLER], ids=[*RECIPES, "pruned"])
def test_a_recipe_becomes_plain_estimators(recipe: Recipe, reviews: Reviews) -> None:
    """The pipeline gives texts the same scores as the classifier gives their counts."""
    counts, terms = recipe.count(reviews.texts)
    estimator = recipe.estimator(0).fit(counts, reviews.labels)
    pipeline = recipe.pipeline(estimator, terms)
    assert [type(step) for step in pipeline] == [TfidfVectorizer, LinearSVC]
    np.testing.assert_allclose(
        pipeline.decision_function(reviews.texts), estimator.decision_function(counts), rtol=1e-9
    )
    np.testing.assert_array_equal(pipeline.predict(reviews.texts), estimator.predict(counts))
    assert list(pipeline[0].vocabulary_) == sorted(pipeline[0].vocabulary_)


def test_characters_are_counted_as_scikit_learn_counts_them(reviews: Reviews) -> None:
    """`characters` has the terms and counts of `CountVectorizer(analyzer="char")`."""
    texts = ["Two  blanks,\n a line", "İ is two characters in lower case", *reviews.texts[:20], ""]
    theirs = CountVectorizer(analyzer="char", ngram_range=(1, 3))
    expected = theirs.fit_transform(texts)
    counts, terms = replace(CHARACTERS, min_df=1).count(texts)
    order = np.argsort(terms)
    assert [terms[index] for index in order] == theirs.get_feature_names_out().tolist()
    assert (counts[:, order] != expected).nnz == 0


def test_characters_learn_from_texts_without_spaces() -> None:
    """Sentences that differ in one character are no whole words, and new ones are understood."""
    good, bad = ["物流很快包装完好", "质量很好非常满意"], ["包装破损物流太慢", "质量太差非常失望"]
    texts = [start + end for start in (*good, *bad) for end in "了哦啊呢吧"]
    labels = [1] * 10 + [0] * 10
    found = fit(CHARACTERS, Reviews(texts, labels, "reviews", "", ("text", "label")))
    assert found.predict(["质量很好", "非常满意！", "物流太慢", "非常失望！"]).tolist() == [
        1,
        1,
        0,
        0,
    ]


def test_the_ratio_is_folded_into_the_coefficients(reviews: Reviews) -> None:
    """Scores equal those of a machine fitted on TF-IDF times the log-count ratio."""
    recipe = replace(BEST, longest=1, smoothing=1.0)
    ours = fit(recipe, reviews)
    vectorizer = TfidfVectorizer(token_pattern=BEST.token_pattern, min_df=2, sublinear_tf=True)
    weighted = vectorizer.fit_transform(reviews.texts)
    labels = np.array(reviews.labels)
    with_term = [np.asarray((weighted[labels == n] > 0).sum(axis=0)).ravel() + 1.0 for n in (0, 1)]
    ratio = np.log(with_term[1] / with_term[1].sum()) - np.log(with_term[0] / with_term[0].sum())
    svc = LinearSVC(random_state=0).fit(weighted.multiply(ratio).tocsr(), labels)
    np.testing.assert_allclose(
        ours.decision_function(reviews.texts),
        svc.decision_function(weighted.multiply(ratio).tocsr()),
        rtol=1e-6,
    )


def test_pruning_keeps_the_strongest_terms(reviews: Reviews) -> None:
    """As many as asked for; most predictions stay, and a vocabulary that fits is not pruned."""
    full, pruned = fit(BEST, reviews), fit(SMALLER, reviews)
    kept, all_terms = set(pruned[0].vocabulary_), set(full[0].vocabulary_)
    assert len(kept) == 500 < len(all_terms)
    assert kept < all_terms
    assert {"great", "boring", "loved"} & all_terms <= kept
    same = full.predict(reviews.texts) == pruned.predict(reviews.texts)
    assert same.mean() > 0.95
    enough = fit(replace(BEST, terms=len(all_terms)), reviews)
    np.testing.assert_array_equal(enough[1].coef_, full[1].coef_)


def test_concurrent_fits_do_not_affect_each_other(reviews: Reviews) -> None:
    """The seed determines the model, in threads as well as alone."""
    counts, _ = BEST.count(reviews.texts)

    def scores(seed: int) -> np.ndarray:
        return BEST.estimator(seed).fit(counts, reviews.labels).decision_function(counts)

    alone = [scores(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(scores, [*range(4)] * 4))
    for seed, found in enumerate(together):
        np.testing.assert_array_equal(found, alone[seed % 4])


def test_texts_without_a_word_are_refused() -> None:
    """Nothing can be counted, and the error says so."""
    with pytest.raises(ValueError, match="empty vocabulary: no word occurs in 2 or more texts"):
        BEST.count(["one", "two", "..."])
    with pytest.raises(ValueError, match="no character occurs in 2 or more texts"):
        CHARACTERS.count(["one", "", "2"])

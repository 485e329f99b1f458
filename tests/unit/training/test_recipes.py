"""Recipes: each ends as scikit-learn's own estimators."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from training.data import Reviews, read
from training.recipes import ARTICLE, BEST, RECIPES, Recipe

SMALLER = replace(BEST, terms=500)


@pytest.fixture(scope="module")
def reviews() -> Reviews:
    """The sample."""
    return read()


def fit(recipe: Recipe, reviews: Reviews, seed: int = 0) -> Pipeline:
    counts, terms = recipe.count(reviews.texts)
    return recipe.pipeline(recipe.estimator(seed).fit(counts, reviews.labels), terms)


def test_the_article_is_scikit_learn_with_its_defaults(reviews: Reviews) -> None:
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


@pytest.mark.parametrize("recipe", [*RECIPES.values(), SMALLER], ids=["article", "best", "pruned"])
def test_a_recipe_ends_as_plain_estimators(recipe: Recipe, reviews: Reviews) -> None:
    """Texts through the pipeline get the scores that counts get through the classifier."""
    counts, terms = recipe.count(reviews.texts)
    estimator = recipe.estimator(0).fit(counts, reviews.labels)
    pipeline = recipe.pipeline(estimator, terms)
    assert [type(step) for step in pipeline] == [TfidfVectorizer, LinearSVC]
    np.testing.assert_allclose(
        pipeline.decision_function(reviews.texts), estimator.decision_function(counts), rtol=1e-9
    )
    np.testing.assert_array_equal(pipeline.predict(reviews.texts), estimator.predict(counts))
    assert list(pipeline[0].vocabulary_) == sorted(pipeline[0].vocabulary_)


def test_the_ratio_is_folded_into_the_coefficients(reviews: Reviews) -> None:
    """Scores are those of a machine that was fitted on TF-IDF times the log-count ratio."""
    recipe = replace(BEST, longest=1, smoothing=1.0)
    ours = fit(recipe, reviews)
    vectorizer = TfidfVectorizer(token_pattern=BEST.token_pattern, min_df=2, sublinear_tf=True)
    weighed = vectorizer.fit_transform(reviews.texts)
    labels = np.array(reviews.labels)
    holding = [np.asarray((weighed[labels == n] > 0).sum(axis=0)).ravel() + 1.0 for n in (0, 1)]
    ratio = np.log(holding[1] / holding[1].sum()) - np.log(holding[0] / holding[0].sum())
    svc = LinearSVC(random_state=0).fit(weighed.multiply(ratio).tocsr(), labels)
    np.testing.assert_allclose(
        ours.decision_function(reviews.texts),
        svc.decision_function(weighed.multiply(ratio).tocsr()),
        rtol=1e-6,
    )


def test_pruning_keeps_as_many_terms_as_it_is_told(reviews: Reviews) -> None:
    """The strongest terms stay, the predictions nearly all, and few terms are not pruned."""
    full, pruned = fit(BEST, reviews), fit(SMALLER, reviews)
    kept, all_terms = set(pruned[0].vocabulary_), set(full[0].vocabulary_)
    assert len(kept) == 500 < len(all_terms)
    assert kept < all_terms
    assert {"great", "boring", "loved"} & all_terms <= kept
    same = full.predict(reviews.texts) == pruned.predict(reviews.texts)
    assert same.mean() > 0.95
    enough = fit(replace(BEST, terms=len(all_terms)), reviews)
    np.testing.assert_array_equal(enough[1].coef_, full[1].coef_)


def test_fits_at_the_same_time_do_not_change_each_other(reviews: Reviews) -> None:
    """A seed decides the model, in threads as well as alone."""
    counts, _ = BEST.count(reviews.texts)

    def scores(seed: int) -> np.ndarray:
        return BEST.estimator(seed).fit(counts, reviews.labels).decision_function(counts)

    alone = [scores(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(scores, [*range(4)] * 4))
    for seed, found in enumerate(together):
        np.testing.assert_array_equal(found, alone[seed % 4])


def test_texts_without_a_word_are_an_error() -> None:
    """There is nothing to count, and the error says so."""
    with pytest.raises(ValueError, match="empty vocabulary: no word occurs in 2 or more texts"):
        BEST.count(["one", "two", "..."])

"""Recipes: each becomes a pipeline of scikit-learn's own estimators."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from sklearn_api.calibration import Sigmoid
from sklearn_api.signature import MULTILABEL, REGRESSION
from tests.helpers.datasets import dataset
from tests.helpers.tickets import priced_tickets, tagged_tickets, tickets
from training.dataset import Dataset, read_dataset
from training.options import Options
from training.recipes.texts import ARTICLE, BEST, CHARACTERS, RECIPES, Recipe

SMALLER = replace(BEST, terms=500)


@pytest.fixture(scope="module")
def reviews() -> Dataset:
    """The sample reviews."""
    return read_dataset(Options())


def fit(recipe: Recipe, reviews: Dataset, seed: int = 0) -> Pipeline:
    counts, terms = recipe.count(reviews.rows)
    return recipe.pipeline(recipe.estimator(seed).fit(counts, reviews.targets), terms)


def test_the_article_recipe_is_scikit_learn_with_its_defaults(reviews: Dataset) -> None:
    """`article` scores exactly as `TfidfVectorizer()` and `LinearSVC()` do."""
    defaults = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0))
    defaults.fit(reviews.rows, reviews.targets)
    ours = fit(ARTICLE, reviews)
    np.testing.assert_array_equal(
        ours.decision_function(reviews.rows), defaults.decision_function(reviews.rows)
    )
    assert ours[0].vocabulary_ == defaults[0].vocabulary_
    unfitted = TfidfVectorizer().get_params()
    assert {**ours[0].get_params(), "ngram_range": (1, 1)} == unfitted


@pytest.mark.parametrize("recipe", [*RECIPES.values(), SMALLER], ids=[*RECIPES, "pruned"])
def test_a_recipe_becomes_plain_estimators(recipe: Recipe, reviews: Dataset) -> None:
    """The pipeline gives texts the same scores as the classifier gives their counts."""
    counts, terms = recipe.count(reviews.rows)
    estimator = recipe.estimator(0).fit(counts, reviews.targets)
    pipeline = recipe.pipeline(estimator, terms)
    assert [type(step) for step in pipeline] == [TfidfVectorizer, LinearSVC]
    np.testing.assert_allclose(
        pipeline.decision_function(reviews.rows), estimator.decision_function(counts), rtol=1e-9
    )
    np.testing.assert_array_equal(pipeline.predict(reviews.rows), estimator.predict(counts))
    assert list(pipeline[0].vocabulary_) == sorted(pipeline[0].vocabulary_)


def test_characters_are_counted_as_scikit_learn_counts_them(reviews: Dataset) -> None:
    """`characters` has the terms and counts of `CountVectorizer(analyzer="char")`."""
    texts = ["Two  blanks,\n a line", "İ is two characters in lower case", *reviews.rows[:20], ""]
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
    found = fit(CHARACTERS, dataset(texts, labels))
    assert found.predict(["质量很好", "非常满意！", "物流太慢", "非常失望！"]).tolist() == [
        1,
        1,
        0,
        0,
    ]


def test_the_ratio_is_folded_into_the_coefficients(reviews: Dataset) -> None:
    """Scores equal those of a machine fitted on TF-IDF times the log-count ratio."""
    recipe = replace(BEST, longest=1, smoothing=1.0)
    ours = fit(recipe, reviews)
    vectorizer = TfidfVectorizer(token_pattern=BEST.token_pattern, min_df=2, sublinear_tf=True)
    weighted = vectorizer.fit_transform(reviews.rows)
    labels = np.array(reviews.targets)
    with_term = [np.asarray((weighted[labels == n] > 0).sum(axis=0)).ravel() + 1.0 for n in (0, 1)]
    ratio = np.log(with_term[1] / with_term[1].sum()) - np.log(with_term[0] / with_term[0].sum())
    svc = LinearSVC(random_state=0).fit(weighted.multiply(ratio).tocsr(), labels)
    np.testing.assert_allclose(
        ours.decision_function(reviews.rows),
        svc.decision_function(weighted.multiply(ratio).tocsr()),
        rtol=1e-6,
    )


def test_pruning_keeps_the_strongest_terms(reviews: Dataset) -> None:
    """As many as asked for; most predictions stay, and a vocabulary that fits is not pruned."""
    full, pruned = fit(BEST, reviews), fit(SMALLER, reviews)
    kept, all_terms = set(pruned[0].vocabulary_), set(full[0].vocabulary_)
    assert len(kept) == 500 < len(all_terms)
    assert kept < all_terms
    assert {"great", "boring", "loved"} & all_terms <= kept
    same = full.predict(reviews.rows) == pruned.predict(reviews.rows)
    assert same.mean() > 0.95
    enough = fit(replace(BEST, terms=len(all_terms)), reviews)
    np.testing.assert_array_equal(enough[1].coef_, full[1].coef_)


def test_concurrent_fits_do_not_affect_each_other(reviews: Dataset) -> None:
    """The seed determines the model, in threads as well as alone."""
    counts, _ = BEST.count(reviews.rows)

    def scores(seed: int) -> Any:
        return BEST.estimator(seed).fit(counts, reviews.targets).decision_function(counts)

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


@pytest.mark.parametrize("recipe", [ARTICLE, BEST, CHARACTERS, replace(BEST, terms=60)])
def test_several_classes_become_plain_estimators(recipe: Recipe) -> None:
    """The classes are words, and the pipeline scores texts as the classifier scores counts."""
    texts, kinds = tickets()
    counts, terms = recipe.count(texts)
    estimator = recipe.estimator(0).fit(counts, kinds)
    pipeline = recipe.pipeline(estimator, terms)
    assert [type(step) for step in pipeline] == [TfidfVectorizer, LinearSVC]
    assert pipeline.classes_.tolist() == ["access", "billing", "network"]
    scores = pipeline.decision_function(texts)
    assert scores.shape == (len(texts), 3)
    np.testing.assert_allclose(scores, estimator.decision_function(counts), rtol=1e-9)
    assert pipeline.predict(texts).tolist() == estimator.predict(counts).tolist()
    new = ["my invoice is wrong", "my password fails", "the vpn connection is slow"]
    assert pipeline.predict(new).tolist() == ["billing", "access", "network"]
    assert len(pipeline[0].vocabulary_) == (60 if recipe.terms == 60 else len(terms))


def test_each_class_has_a_ratio_of_its_own() -> None:
    """The scores of a class are those of a model of this class against the rest."""
    texts, kinds = tickets()
    ours = fit(BEST, dataset(texts, kinds))
    for column, kind in enumerate(ours.classes_):
        alone = fit(BEST, dataset(texts, [int(one == kind) for one in kinds]))
        np.testing.assert_allclose(
            ours.decision_function(texts)[:, column], alone.decision_function(texts), rtol=1e-9
        )


def test_two_classes_may_be_any_words_or_numbers() -> None:
    """The names of classes change what is predicted, and nothing else."""
    texts, kinds = tickets()
    plain = fit(BEST, dataset(texts, [int(kind == "network") for kind in kinds]))
    for first, second in (("other", "that"), (1, 5)):
        found = fit(
            BEST, dataset(texts, [second if kind == "network" else first for kind in kinds])
        )
        np.testing.assert_array_equal(found[1].coef_, plain[1].coef_)
        expected = [second if one else first for one in plain.predict(texts)]
        assert found.predict(texts).tolist() == expected


def test_many_classes_keep_fewer_terms() -> None:
    """The coefficients of twenty classes are no more than those of ten."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(20), 5)
    texts = [f"word{label} {random.integers(40)} other" for label in labels]
    counts, _ = BEST.count(texts)
    assert counts.shape[1] > 30
    kept = {
        classes: len(replace(BEST, terms=30).estimator(0).fit(counts, labels % classes).columns_)
        for classes in (2, 10, 20)
    }
    assert kept == {2: 30, 10: 30, 20: 15}


@pytest.mark.parametrize("recipe", [ARTICLE, BEST, replace(BEST, terms=60)])
def test_several_labels_become_plain_estimators(recipe: Recipe) -> None:
    """A logistic regression for each label, whose probabilities are those of the sigmoids."""
    texts, applies, _ = tagged_tickets()
    counts, terms = recipe.count(texts)
    estimator = recipe.estimator(0, MULTILABEL).fit(counts, applies)
    sigmoids = [Sigmoid(2.0, 0.1), Sigmoid(1.5, -0.2), Sigmoid(0.0, -1.0)]
    pipeline = recipe.pipeline(estimator, terms, sigmoids)
    assert [type(step) for step in pipeline] == [TfidfVectorizer, OneVsRestClassifier]
    assert {type(one) for one in pipeline[1].estimators_} == {LogisticRegression}
    probabilities = pipeline.predict_proba(texts)
    expected = [
        [one.probability(score) for one, score in zip(sigmoids, row, strict=True)]
        for row in estimator.decision_function(counts)
    ]
    np.testing.assert_allclose(probabilities, expected, rtol=1e-9)
    predicted = pipeline.predict(texts)
    np.testing.assert_array_equal(predicted, probabilities > 0.5)
    assert predicted.shape == applies.shape
    assert (predicted[:, :2] == applies[:, :2]).mean() > 0.9
    assert not predicted[:, 2].any(), "a label whose scores say nothing is never likely"


def test_a_label_of_every_row_has_a_constant_score() -> None:
    """As happens in a fold: there is nothing to tell apart, and no error."""
    texts, applies, _ = tagged_tickets()
    applies = np.column_stack([applies, np.ones(len(texts), int), np.zeros(len(texts), int)])
    counts, _ = BEST.count(texts)
    scores = BEST.estimator(0, MULTILABEL).fit(counts, applies).decision_function(counts)
    assert set(scores[:, -2]) == {1.0}
    assert set(scores[:, -1]) == {-1.0}


@pytest.mark.parametrize("recipe", [ARTICLE, BEST, replace(BEST, terms=60)])
def test_numbers_become_a_ridge_regression(recipe: Recipe) -> None:
    """Predicted from texts that were not fitted on, they are near the truth."""
    texts, minutes = priced_tickets()
    counts, terms = recipe.count(texts[:100])
    estimator = recipe.estimator(0, REGRESSION).fit(counts, minutes[:100])
    pipeline = recipe.pipeline(estimator, terms)
    assert [type(step) for step in pipeline] == [TfidfVectorizer, Ridge]
    np.testing.assert_allclose(pipeline.predict(texts[:100]), estimator.predict(counts), rtol=1e-9)
    assert r2_score(minutes[100:], pipeline.predict(texts[100:])) > 0.8

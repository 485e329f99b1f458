"""The strongest words of linear models."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC

from tests.helpers.reports import multilabel_texts, texts
from training.report.words import strongest

ROWS, KINDS = texts()
GOOD = [kind == "good" for kind in KINDS]


def test_weights_by_hand() -> None:
    """The coefficient, times the inverse document frequency, times the root of the frequency."""
    vectorizer = TfidfVectorizer(smooth_idf=False).fit(["a1 b1", "a1 c1", "a1 c1", "a1 c1"])
    model = Ridge().fit(vectorizer.transform(["a1 b1", "a1 c1"]), [0, 1])
    model.coef_ = np.array([1.0, -2.0, 3.0])
    (found,) = strongest(make_pipeline(vectorizer, model), 5)
    frequency = {"a1": 1.0, "b1": 1 / 4, "c1": 3 / 4}
    idf = {word: 1 + np.log(1 / share) for word, share in frequency.items()}
    constant = np.exp(-0.5)  # of idf = 1 + ln(1 / share)
    expected = {
        word: coefficient * idf[word] * np.sqrt(frequency[word]) * constant
        for word, coefficient in (("a1", 1.0), ("b1", -2.0), ("c1", 3.0))
    }
    assert dict(found.rising) == pytest.approx({x: expected[x] for x in ("c1", "a1")})
    assert dict(found.falling) == pytest.approx({"b1": expected["b1"]})
    assert [word for word, _ in found.rising] == ["c1", "a1"]


@pytest.mark.parametrize("model", [LinearSVC(random_state=0), SVC(kernel="linear")])
def test_two_classes_have_one_score(model: object) -> None:
    """Positive weights for the second class, negative ones for the first, the strongest first."""
    (found,) = strongest(make_pipeline(TfidfVectorizer(), model).fit(ROWS, GOOD), 3)
    assert {word for word, _ in found.rising} == {"good", "nice", "fine"}
    assert not {"good", "nice", "fine"} & {word for word, _ in found.falling}
    sizes = [weight for _, weight in found.rising]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] > 0 > found.falling[0][1]
    assert [weight for _, weight in found.falling] == sorted(w for _, w in found.falling)


def test_a_search_has_the_words_of_its_best_pipeline() -> None:
    """A grid search is stored, and predicts, as that pipeline."""
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0))
    search = GridSearchCV(pipeline, {"linearsvc__C": [1.0]}, cv=2).fit(ROWS, GOOD)
    assert strongest(search, 3) == strongest(pipeline.fit(ROWS, GOOD), 3)


@pytest.mark.parametrize("vectorizer", [TfidfVectorizer(), CountVectorizer()])
def test_each_of_many_classes_has_words(vectorizer: object) -> None:
    """They are in the order of the classes."""
    pipeline = make_pipeline(vectorizer, LogisticRegression()).fit(ROWS, KINDS)
    found = strongest(pipeline, 3)
    assert pipeline.classes_.tolist() == ["bad", "good", "late"]
    assert [{word for word, _ in one.rising} for one in found] == [
        {"bad", "awful", "poor"}, {"good", "nice", "fine"}, {"late", "slow", "never"},
    ]  # fmt: skip


def test_each_of_several_labels_has_words() -> None:
    """One model against the rest for each label."""
    found = strongest(multilabel_texts().pipeline, 3)
    assert {word for word, _ in found[0].rising} == {"good", "nice", "fine"}
    assert len(found) == 3


@pytest.mark.parametrize(
    "pipeline",
    [
        make_pipeline(TfidfVectorizer(), RandomForestClassifier(3, random_state=0)),
        make_pipeline(HashingVectorizer(n_features=64), LogisticRegression()),
        make_pipeline(TfidfVectorizer(), SVC(kernel="linear")),  # coefficients of pairs of classes
    ],
)
def test_other_models_have_none(pipeline: object) -> None:
    """A forest has no weights, hashed words no names, and pairs of classes are no classes."""
    assert strongest(pipeline.fit(ROWS, KINDS), 3) == []  # type: ignore[attr-defined]  # pipelines have no types
    assert strongest(LogisticRegression().fit([[0], [1]], [0, 1]), 3) == []

"""Advice about types of other packages is about these packages, and can be followed."""

from typing import Any

import pytest
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from tests.helpers.customers import churned, customers
from tests.helpers.tables import usual
from training.artifact.advice import advice
from training.artifact.write import write_artifact
from training.signature import infer_signature


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["lightgbm.sklearn.LGBMClassifier", "collections.defaultdict (defaultdict)"],
            ["the layer does not contain lightgbm", "HistGradientBoostingClassifier"],
        ),
        (
            ["xgboost.core.Booster", "builtins.bytearray (bytearray)"],
            ["the layer does not contain xgboost", "GradientBoostingClassifier"],
        ),
        (
            ["imblearn.ensemble._forest.BalancedRandomForestClassifier", "imblearn.under.Sampler"],
            ["instead of imblearn's ensembles", "balanced_subsample"],
        ),
        (["imblearn.over_sampling._smote.base.SMOTE"], ["samplers do nothing when predicting"]),
        (["shop.steps.Prices"], ["own_code"]),
        (["__main__.Prices"], ["what a notebook or a script defines", "own_code"]),
        (["sklearn.cluster._birch.Birch"], ["sklearn_api/artifact/trusted.py"]),
        (["functools.lru_cache"], ["scikit-learn's own types only"]),
    ],
)
def test_each_package_gets_its_own_advice(names: list[str], expected: list[str]) -> None:
    """One sentence, even if a package keeps something in Python's own types."""
    found = advice(names)
    assert all(part in found for part in expected), found
    assert len(found.split("; ")) == (2 if "own types only" in found else 1)


def trees() -> Any:
    """What is advised instead of imblearn's ensembles."""
    return BaggingClassifier(DecisionTreeClassifier(class_weight="balanced"), 3)


@pytest.mark.parametrize(
    ("first", "model"),
    [
        (lambda: usual(sparse_threshold=0), lambda: HistGradientBoostingClassifier(max_iter=3)),
        (TfidfVectorizer, lambda: GradientBoostingClassifier(n_estimators=3)),
        (usual, lambda: RandomForestClassifier(3, class_weight="balanced_subsample")),
        (usual, trees),
    ],
)
def test_what_is_advised_can_be_stored(first: Any, model: Any) -> None:
    """Boosting after a table and after a vectorizer, and ensembles with weights."""
    frame = customers()
    rows = frame["note"].tolist() if first is TfidfVectorizer else frame
    pipeline = make_pipeline(first(), model()).fit(rows, churned())
    assert write_artifact(pipeline, infer_signature(pipeline, rows), rows=rows).content

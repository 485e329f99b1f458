"""Advice about types of other packages is about these packages, and can be followed."""

import pytest

from training.artifact.advice import advice


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

"""Pipelines in skops files."""

from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.svm import LinearSVC

from tests.helpers.customers import churned, customers
from training.errors import TrainingError
from training.importing.skops_files import load_skops


class Shortener(TfidfVectorizer):  # type: ignore[misc]  # scikit-learn ships no types
    """A type of one's own."""


@pytest.mark.parametrize(
    "pipeline",
    [
        make_pipeline(
            make_column_transformer(
                (OneHotEncoder(handle_unknown="ignore"), ["plan"]), ("passthrough", ["tenure"])
            ),
            RandomForestClassifier(5, random_state=0),
        ),
        make_pipeline(
            make_column_transformer((FunctionTransformer(np.log1p), ["tenure", "calls"])),
            HistGradientBoostingClassifier(max_iter=5),
        ),
    ],
)
def test_a_pipeline_is_read(pipeline: object, tmp_path: Path) -> None:
    """A pipeline predicts what it did when it was written."""
    pipeline.fit(customers(), churned())  # type: ignore[attr-defined]  # it is a pipeline
    skops.io.dump(pipeline, tmp_path / "churn.skops")
    found = load_skops(tmp_path / "churn.skops")
    expected = pipeline.predict_proba(customers())  # type: ignore[attr-defined]  # it is a pipeline
    assert found.predict_proba(customers()).tolist() == expected.tolist()


def test_types_that_are_not_trusted_are_refused(tmp_path: Path) -> None:
    """The error names the type of one's own, and says what to use instead."""
    pipeline = make_pipeline(Shortener(), LinearSVC()).fit(["good", "bad"], [1, 0])
    skops.io.dump(pipeline, tmp_path / "own.skops")
    with pytest.raises(TrainingError, match=r"not trusted: .*test_skops_files\.Shortener; "):
        load_skops(tmp_path / "own.skops")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04"])
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    """The error says how to write a skops file."""
    (tmp_path / "model.skops").write_bytes(content)
    with pytest.raises(TrainingError, match="is not a skops file, or is damaged: write it with"):
        load_skops(tmp_path / "model.skops")


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names both versions of scikit-learn."""
    with monkeypatch.context() as patched:
        patched.setattr("sklearn.base.__version__", "1.2.2")
        skops.io.dump(LinearSVC().fit([[0], [1]], [0, 1]), tmp_path / "old.skops")
    with pytest.raises(TrainingError, match=r"with scikit-learn 1\.2\.2, but this project runs 1"):
        load_skops(tmp_path / "old.skops")

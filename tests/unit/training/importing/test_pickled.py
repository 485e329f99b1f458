"""Reading pickles, which happens in a process of its own."""

import bz2
import gzip
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from tests.helpers.customers import churned, customers
from training.errors import TrainingError
from training.importing.pickled import load_pickle

VERSION = (
    r"written with scikit-learn 1\.2\.2, but this project runs 1\.[0-9.]+;.*Fit the pipeline again"
)


def texts() -> Any:
    return make_pipeline(TfidfVectorizer(), LinearSVC()).fit(["good", "bad"], [1, 0])


@pytest.fixture
def another_module(monkeypatch: pytest.MonkeyPatch) -> type:
    """A class of a module that is only there while pickles are written."""

    class Cleaner(TfidfVectorizer):  # type: ignore[misc]  # scikit-learn ships no types
        pass

    module = types.ModuleType("shop_steps")
    Cleaner.__module__, Cleaner.__qualname__ = "shop_steps", "Cleaner"
    module.Cleaner = Cleaner  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, "shop_steps", module)
    return Cleaner


@pytest.mark.parametrize("compression", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_joblib_files_are_read(compression: Any, tmp_path: Path) -> None:
    """Files of joblib are read, however they are compressed."""
    joblib.dump(texts(), tmp_path / "model.joblib", compress=compression)
    assert load_pickle(tmp_path / "model.joblib").predict(["good"]).tolist() == [1]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_are_read(protocol: int, tmp_path: Path) -> None:
    """Files of Python's own pickle are read."""
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(texts(), protocol))
    assert load_pickle(tmp_path / "model.pkl").predict(["bad"]).tolist() == [0]


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress])
def test_another_version_is_refused(
    compress: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names both versions of scikit-learn, and says what to do."""
    with monkeypatch.context() as patched:
        patched.setattr("sklearn.base.__version__", "1.2.2")
        content = pickle.dumps(texts())
    (tmp_path / "old.pkl").write_bytes(compress(content))
    with pytest.raises(TrainingError, match=VERSION):
        load_pickle(tmp_path / "old.pkl")


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_another_version_that_cannot_be_read_is_refused(
    compress: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version is the reason, even if reading fails before scikit-learn could warn."""
    with monkeypatch.context() as patched:
        patched.setattr("sklearn.base.__version__", "1.2.2")
        forest = RandomForestClassifier(2).fit(customers()[["tenure", "calls"]], churned())
        content = pickle.dumps(forest)
    # As if the nodes of a tree had another field: how trees of other versions fail.
    broken = content.replace(b"missing_go_to_left", b"missing_go_to_wrong"[:18])
    assert broken != content
    (tmp_path / "old.pkl").write_bytes(compress(broken))
    with pytest.raises(TrainingError, match=VERSION):
        load_pickle(tmp_path / "old.pkl")


def test_a_missing_module_is_named(another_module: type, tmp_path: Path) -> None:
    """The error names the module, and says how it can be found."""
    joblib.dump(another_module(), tmp_path / "own.joblib")
    del sys.modules["shop_steps"]
    with pytest.raises(
        TrainingError,
        match=r"it needs the module shop_steps, which is neither.*run the command in its folder",
    ):
        load_pickle(tmp_path / "own.joblib")  # fmt: skip


def test_a_missing_class_is_named(another_module: type, tmp_path: Path) -> None:
    """The error names a class that its module no longer defines."""
    joblib.dump(another_module(), tmp_path / "own.joblib")
    del sys.modules["shop_steps"].Cleaner
    with pytest.raises(TrainingError, match=r"it names shop_steps\.Cleaner, which does not exist"):
        load_pickle(tmp_path / "own.joblib")


@pytest.mark.parametrize("protocol", [0, 5])
def test_a_class_of_a_notebook_is_named(
    another_module: type, protocol: int, tmp_path: Path
) -> None:
    """The error about a class of `__main__` says where to put it."""
    content = pickle.dumps(another_module(), protocol)
    content = content.replace(b"\x8c\x0ashop_steps", b"\x8c\x08__main__")
    content = content.replace(b"shop_steps", b"__main__")
    (tmp_path / "own.pkl").write_bytes(content)
    with pytest.raises(
        TrainingError, match="it names Cleaner, which was defined in a notebook or a script"
    ):
        load_pickle(tmp_path / "own.pkl")  # fmt: skip


@pytest.mark.parametrize("package", ["lightgbm", "xgboost", "catboost"])
def test_a_boosting_package_is_named(package: str, tmp_path: Path) -> None:
    """The error names what scikit-learn has instead."""
    if package in sys.modules:
        pytest.skip(f"{package} is installed")
    (tmp_path / "model.pkl").write_bytes(f"c{package}.sklearn\nLGBMClassifier\n.".encode())
    with pytest.raises(TrainingError, match=f"needs the package {package}.*HistGradientBoosting"):
        load_pickle(tmp_path / "model.pkl")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.98])
@pytest.mark.parametrize("compression", [0, 3, ("xz", 3)])
def test_an_incomplete_file_is_refused(share: float, compression: Any, tmp_path: Path) -> None:
    """A file that was not copied whole is an error of one sentence."""
    path = tmp_path / "model.joblib"
    joblib.dump(texts(), path, compress=compression)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(TrainingError, match=r"^model\.joblib cannot be read: it is"):
        load_pickle(path)


@pytest.mark.parametrize(
    "content", [b"hello", b"a,b\n1,2\n", b"\x89HDF\r\n", b"PK\x03\x04zip", b"{}"]
)
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    """A file that is not a pickle is an error of one sentence."""
    (tmp_path / "model.pkl").write_bytes(content)
    with pytest.raises(TrainingError, match=r"it is damaged or not a pickle|it is incomplete"):
        load_pickle(tmp_path / "model.pkl")

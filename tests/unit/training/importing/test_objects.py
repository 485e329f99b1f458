"""Pipelines in modules: ``module:object``."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sklearn.pipeline import Pipeline

from training.errors import TrainingError
from training.importing.objects import load_object

MODULE = """
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

pipeline = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(["good", "bad"], [1, 0])

class Holder:
    inner = pipeline

def build():
    return pipeline

def build_from(path):
    return pipeline

def fail():
    raise RuntimeError("no such table")

number = 3
"""


@pytest.fixture
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder with modules, which is the current one."""
    (tmp_path / "my_shop").mkdir()
    (tmp_path / "my_shop" / "__init__.py").write_text("")
    (tmp_path / "my_shop" / "churn.py").write_text(MODULE)
    (tmp_path / "my_broken.py").write_text("1 / 0")
    (tmp_path / "my_exiting.py").write_text("import sys\nsys.exit(3)")
    (tmp_path / "my_needy.py").write_text("import no_such_package")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("my_"):
            del sys.modules[name]


@pytest.mark.usefixtures("_project")
@pytest.mark.parametrize("source", ["pipeline", "Holder.inner", "build"])
def test_an_object_is_loaded(source: str) -> None:
    """It is an object of a module, an attribute of one, or what a function returns."""
    found = load_object(f"my_shop.churn:{source}")
    assert isinstance(found, Pipeline)
    assert found.predict(["good"]).tolist() == [1]


@pytest.mark.usefixtures("_project")
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("my_shp:pipeline", r"no module 'my_shp', neither in the current folder \(.*\) nor installed; did you mean my_shop"),
        ("my_shop.chrn:pipeline", "no module 'my_shop.chrn'"),
        ("my_shop.churn:pipline", "my_shop.churn has no object 'pipline'; did you mean pipeline"),
        ("my_shop.churn:model", "has no object 'model'; it has pipeline$"),
        ("my_shop.churn:Holder.outer", "my_shop.churn:Holder has no object 'outer'; it has inner"),
        ("my_shop.churn:build_from", "is a function with arguments"),
        ("my_shop.churn:fail", "calling my_shop.churn:fail failed: RuntimeError: no such table"),
        ("my_shop.churn:Holder", "my_shop.churn:Holder is a class"),
        ("my_broken:pipeline", "importing my_broken failed: ZeroDivisionError: division by zero"),
        ("my_exiting:pipeline", "importing my_exiting failed: SystemExit: 3"),
        ("my_needy:pipeline", "importing my_needy failed: it imports no_such_package"),
        ("my_shop.churn", "'my_shop.churn' is not module:object"),
        ("my_shop.churn:", "is not module:object"),
        (":pipeline", "is not module:object"),
        ("my shop:pipeline", "is not module:object"),
        ("my_shop/churn.py:pipeline", "is not module:object, such as my_shop.churn:pipeline"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(source: str, message: str) -> None:
    """The error names the part that is wrong, and similar names."""
    with pytest.raises(TrainingError, match=message):
        load_object(source)

"""Recipes for tables: they learn, and answer whatever a client sends."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from tests.helpers.customers import HELD_OUT, TRAINED, churned, classes, customers, prices
from training.artifact.comparison import compare
from training.artifact.positions import by_position
from training.recipes.tables import (
    BOOSTING,
    FEW_ROWS,
    FOREST,
    TABLE_RECIPES,
    TableRecipe,
    default_recipe,
)

RECIPES = pytest.mark.parametrize("recipe", TABLE_RECIPES.values(), ids=TABLE_RECIPES)
TARGETS: dict[str, Any] = {"binary": churned, "multiclass": classes, "regression": prices}


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def rows() -> Any:
    """Return the customers without their notes, and with columns that are seldom filled."""
    frame = customers().drop(columns="note")
    flags = frame["senior"].astype(object).where(frame["calls"] > 2, np.nan)
    once = pd.Series(np.nan, frame.index)
    once[120] = 1.0
    return frame.assign(flag=flags, once=once)


def fitted(recipe: TableRecipe, frame: Any, task: str) -> Any:
    targets = TARGETS[task]()
    known = 0 if task == "regression" else len(set(targets))
    pipeline = recipe.pipeline(frame[TRAINED], task, known, 0)
    return pipeline.fit(frame[TRAINED], targets[TRAINED])


@RECIPES
@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize(
    "columns",
    [None, ["plan", "region"], ["tenure", "charges", "calls"], ["senior"], ["tenure", "flag"]],
    ids=["all", "words", "numbers", "booleans", "few"],
)
def test_served_without_pandas_it_answers_the_same(
    recipe: TableRecipe, task: str, columns: list[str] | None
) -> None:
    """Gaps, unseen words and extreme numbers included, in every column and for every task."""
    frame = rows() if columns is None else rows()[columns]
    pipeline = fitted(recipe, frame, task)
    rewritten = by_position(pipeline, frame[TRAINED])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns of what `compare` makes up
        compare(pipeline, rewritten, frame[HELD_OUT])


@RECIPES
@pytest.mark.parametrize("task", TARGETS)
def test_gaps_and_unseen_words_are_answered(recipe: TableRecipe, task: str) -> None:
    """No value is an error: an unseen word counts as a missing one."""
    frame = rows()
    pipeline = fitted(recipe, frame, task)
    sent = frame[HELD_OUT].astype(object)
    gap = pd.Series(np.nan, sent.index, dtype=object)
    unseen = sent.assign(plan="never seen", region="never seen")
    missing = sent.assign(plan=gap, region=gap)
    np.testing.assert_array_equal(pipeline.predict(unseen), pipeline.predict(missing))
    nothing = sent.assign(**dict.fromkeys(sent.columns, gap))
    assert len(set(pipeline.predict(nothing).tolist())) == 1


def test_the_default_learns_from_few_rows() -> None:
    """On held-out customers it is far better than chance, for classes and for numbers."""
    frame = rows()
    assert default_recipe(90) is FOREST
    forest = fitted(FOREST, frame, "binary")
    scores = forest.predict_proba(frame[HELD_OUT])[:, 1]
    assert roc_auc_score(churned()[HELD_OUT], scores) > 0.85
    forest = fitted(FOREST, frame, "regression")
    assert r2_score(prices()[HELD_OUT], forest.predict(frame[HELD_OUT])) > 0.8


def test_the_default_learns_from_many_rows() -> None:
    """Boosting stops before it has grown all trees, and finds what depends on two columns."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "word": random.choice(["a", "b", "c"], 3000).astype(object),
            "number": random.normal(size=3000),
        }
    )
    truth = np.where(frame["word"] == "b", frame["number"], -frame["number"])
    labels = np.where(truth + random.normal(0, 0.3, 3000) > 0, "yes", "no")
    assert default_recipe(FEW_ROWS) is BOOSTING
    pipeline = BOOSTING.pipeline(frame[:2000], "binary", 2, 0).fit(frame[:2000], labels[:2000])
    assert pipeline[-1].n_iter_ < BOOSTING.trees
    assert (pipeline.predict(frame[2000:]) == labels[2000:]).mean() > 0.85


@RECIPES
def test_twenty_rows_are_enough(recipe: TableRecipe) -> None:
    """As few as training takes, of which two in three have the same class."""
    frame, labels = rows()[:20], np.array(["a", "b", "a"] * 6 + ["a", "a"])
    pipeline = recipe.pipeline(frame, "binary", 2, 0).fit(frame, labels)
    assert set(pipeline.predict(frame)) <= {"a", "b"}


@RECIPES
def test_the_seed_determines_the_model(recipe: TableRecipe) -> None:
    """The same rows and seed give the same predictions."""
    frame, targets = rows(), prices()
    one, other = (
        recipe.pipeline(frame, "regression", 0, 3).fit(frame, targets).predict(frame)
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)


def test_rare_classes_do_not_stop_boosting() -> None:
    """Where a tenth of the rows cannot hold every class, it grows a fixed number of trees."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=300), "y": random.normal(size=300)})
    labels = np.repeat(np.arange(30), 10)
    pipeline = BOOSTING.pipeline(frame, "multiclass", 30, 0).fit(frame, labels)
    assert pipeline[-1].n_iter_ == 100
    assert set(pipeline.predict(frame)) <= set(labels)

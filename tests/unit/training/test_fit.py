"""Fitting: the recipe for the data, its calibration, and what is said about both."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import log_loss, r2_score

from sklearn_api.calibration import OneAgainstRest, Sigmoid, Temperature
from tests.helpers.customers import churned, customers, prices
from tests.helpers.datasets import dataset
from tests.helpers.tickets import priced_tickets, tagged_tickets, tickets
from training.calibration import ONE_AGAINST_REST, TEMPERATURE
from training.dataset import Dataset
from training.errors import TrainingError
from training.fit import Fitted, fit
from training.options import Options
from training.terminal import Terminal

NAMED = Options("data.csv", name="desk")
QUIET = Terminal(Console(quiet=True))


def halves(found: Dataset) -> tuple[Dataset, Dataset]:
    """Return every second row, and the others."""
    even = np.arange(len(found)) % 2 == 0
    return found.take(even), found.take(~even)


def fit_quietly(found: Dataset, **options: Any) -> Fitted:
    return fit(found, replace(NAMED, **options), QUIET)


def test_several_classes_are_calibrated_by_the_better_method() -> None:
    """Both log losses are known, the note says them, and held-out probabilities are honest."""
    fitted_on, others = halves(dataset(*tickets(400)))
    model = fit_quietly(fitted_on)
    assert model.recipe == "best"
    assert model.losses.keys() == {TEMPERATURE, ONE_AGAINST_REST}
    better = min(model.losses, key=lambda name: model.losses[name])
    kind = Temperature if better == TEMPERATURE else OneAgainstRest
    assert isinstance(model.calibration, kind)
    assert all(f"{loss:.4f}" in model.notes[0] for loss in model.losses.values())
    scores = model.pipeline.decision_function(others.rows).tolist()
    probabilities = [model.calibration.probabilities(row) for row in scores]
    loss = log_loss(others.targets, probabilities, labels=others.classes)
    assert loss < 0.3 < np.log(3)


def test_two_classes_have_a_sigmoid() -> None:
    """Whatever they are called."""
    texts, kinds = tickets()
    found = dataset(texts, ["net" if kind == "network" else "other" for kind in kinds])
    model = fit_quietly(found)
    assert isinstance(model.calibration, Sigmoid)
    assert model.pipeline.classes_.tolist() == ["net", "other"]
    assert model.notes == ()


def test_without_rows_to_calibrate_on_there_are_no_probabilities() -> None:
    """A class of a single row is learned, and a note says what is missing."""
    texts, kinds = tickets()
    model = fit_quietly(dataset([*texts, "broken screen"], [*kinds, "hardware"]))
    assert model.calibration is None
    assert (
        "no probabilities: 1 of the rows to calibrate on has the class 'hardware'"
        in (model.notes[0])
    )
    assert "hardware" in model.pipeline.classes_


def test_several_labels_have_probabilities_of_their_own() -> None:
    """Those of the pipeline are calibrated on rows that were held out, so they are honest."""
    fitted_on, others = halves(dataset(*tagged_tickets(400)))
    model = fit_quietly(fitted_on)
    assert model.calibration is None
    probabilities = model.pipeline.predict_proba(others.rows)
    assert (model.pipeline.predict(others.rows) == others.targets).mean() > 0.9
    assert log_loss(others.targets.ravel(), probabilities.ravel()) < 0.25


def test_numbers_are_predicted_from_texts() -> None:
    """With any recipe for texts."""
    texts, minutes = priced_tickets()
    fitted_on, others = halves(dataset(texts, minutes))
    for recipe in ("best", "article", "characters"):
        model = fit_quietly(fitted_on, recipe=recipe)
        assert (model.recipe, model.calibration) == (recipe, None)
        assert r2_score(others.targets, model.pipeline.predict(others.rows)) > 0.5


@pytest.mark.parametrize(("targets", "method"), [(churned, "predict_proba"), (prices, "predict")])
def test_tables_get_the_recipe_for_their_size(targets: Any, method: str) -> None:
    """A forest for few rows, or what is asked for; its probabilities need no calibration."""
    found = dataset(customers().drop(columns="note"), targets())
    model = fit_quietly(found)
    assert (model.recipe, model.calibration) == ("forest", None)
    assert model.parameters["trees"] == len(model.pipeline[-1].estimators_)
    assert len(getattr(model.pipeline, method)(found.rows)) == 150
    boosted = fit_quietly(found, recipe="boosting")
    assert boosted.parameters["learning_rate"] == boosted.pipeline[-1].learning_rate
    assert fit(found, NAMED, QUIET, like=boosted).recipe == "boosting"


def test_a_recipe_is_for_texts_or_for_tables() -> None:
    """The message names those that there are; nothing is searched for tables and numbers."""
    table = dataset(customers().drop(columns="note"), churned())
    texts = dataset(*tickets())
    with pytest.raises(TrainingError, match=r"best is for texts.* choose one of boosting, forest"):
        fit_quietly(table, recipe="best")
    with pytest.raises(TrainingError, match=r"forest is for tables.* best, article, characters"):
        fit_quietly(texts, recipe="forest")
    with pytest.raises(TrainingError, match="--search compares recipes for texts"):
        fit_quietly(table, search=True)
    with pytest.raises(TrainingError, match="--search compares classifiers, and the task is regr"):
        fit_quietly(dataset(*priced_tickets()), search=True)


def test_a_search_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found for a part of the rows is fitted on all of them, without a second search."""
    grid = {"article": {"longest": (1, 2), "min_df": (1,), "C": (0.5,)}}
    monkeypatch.setattr("training.search.GRIDS", grid)
    found = dataset(*tickets())
    part = fit_quietly(halves(found)[0], recipe="article", search=True)
    assert part.found is not None
    assert (part.parameters["C"], len(part.found.candidates)) == (0.5, 2)
    monkeypatch.setattr("training.search.GRIDS", {})
    whole = fit(found, replace(NAMED, recipe="article", search=True), QUIET, like=part)
    assert (whole.parameters, whole.found) == (part.parameters, part.found)


def test_scores_without_information_give_a_warning() -> None:
    """Words that each class has once: the same probabilities for every text, and a warning."""
    texts = [f"word{n} film" for n in range(20) for _ in range(3)]
    output = io.StringIO()
    model = fit(
        dataset(texts, ["a", "b", "c"] * 20), NAMED, Terminal(Console(file=output, width=200))
    )
    assert model.calibration in (Temperature(0.0),) or isinstance(model.calibration, OneAgainstRest)
    assert "the same probabilities for every text" in output.getvalue()

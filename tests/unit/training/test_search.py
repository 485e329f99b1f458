"""Searches of a recipe's grid by cross-validation."""

import io
import sys

import pytest
from rich.console import Console

from tests.helpers.datasets import dataset
from training.dataset import read_dataset
from training.errors import TrainingError
from training.options import Options
from training.recipes.texts import ARTICLE, RECIPES
from training.search import GRIDS, search
from training.terminal import Terminal

SMALL = {"article": {"longest": (1, 2), "min_df": (1,), "C": (1e-6, 1.0)}}


@pytest.fixture(autouse=True)
def small_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four variants; two of them cannot win, since they are hardly fitted to the labels."""
    monkeypatch.setattr("training.search.GRIDS", SMALL)


def test_the_best_variant_is_found() -> None:
    """Every variant is measured and printed, and the one with the highest mean is returned."""
    output = io.StringIO()
    found = search(ARTICLE, read_dataset(Options()), 0, Terminal(Console(file=output, width=200)))
    assert len(found.candidates) == 4
    assert [candidate["longest"] for candidate in found.candidates] == [1, 1, 2, 2]
    assert found.recipe.C == 1.0
    assert found.accuracy == max(candidate["accuracy"] for candidate in found.candidates) > 0.75
    assert found.candidates[0]["accuracy"] < found.candidates[1]["accuracy"]
    best = {name: getattr(found.recipe, name) for name in SMALL["article"]}
    assert any(best.items() <= candidate.items() for candidate in found.candidates)
    lines = [line for line in output.getvalue().splitlines() if "±" in line]
    assert len(lines) == 4
    assert "longest 2, min_df 1, C 1.0" in output.getvalue()


def test_a_search_is_repeatable() -> None:
    """The seed determines the result, in any number of processes."""
    quiet = Terminal(Console(quiet=True))
    assert search(ARTICLE, read_dataset(Options()), 3, quiet) == search(
        ARTICLE, read_dataset(Options()), 3, quiet
    )


def test_a_backend_that_is_not_installed_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the backend, and says where to install it."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(
        TrainingError,
        match=r"--search-backend dask cannot be used .*install it in this Python environment",
    ):
        search(ARTICLE, read_dataset(Options()), 0, Terminal(Console(quiet=True)), "dask")


def test_too_few_reviews_are_refused() -> None:
    """Each fold needs a review of each label."""
    few = dataset(["good"] * 4 + ["bad"] * 30, [1] * 4 + [0] * 30)
    with pytest.raises(TrainingError, match="at least 5 texts of each class"):
        search(ARTICLE, few, 0, Terminal(Console(quiet=True)))


def test_the_grid_of_every_recipe_contains_its_defaults() -> None:
    """A search also compares the recipe that is trained without a search."""
    assert GRIDS.keys() == RECIPES.keys()
    for name, grid in GRIDS.items():
        for parameter, values in grid.items():
            assert getattr(RECIPES[name], parameter) in values

"""The options of training: defaults, and names that other modules implement."""

from training.options import Options, RecipeName
from training.recipes import RECIPES


def test_every_recipe_name_has_a_recipe() -> None:
    """A name that the command line offers can be trained."""
    assert RECIPES.keys() == {*RecipeName}


def test_named_data_are_trained_with_the_best_recipe() -> None:
    """`best` for named data, `article` for the sample, and the recipe asked for with either."""
    assert Options().recipe_name == "article"
    assert Options(source="data.csv").recipe_name == "best"
    assert Options(recipe="best").recipe_name == "best"
    assert Options(source="data.csv", recipe="article").recipe_name == "article"

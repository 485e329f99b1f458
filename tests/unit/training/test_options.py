"""The options of training: defaults, and names that other modules implement."""

from pathlib import Path

import pytest

from training.data import named_columns, read_table
from training.names import check_name
from training.options import (
    EXAMPLES,
    ROOT,
    Options,
    RecipeName,
    make_command,
    model_folder,
    stored_folder,
)
from training.recipes.texts import RECIPES


def test_every_recipe_name_has_a_recipe() -> None:
    """A name that the command line offers can be trained."""
    assert RECIPES.keys() == {*RecipeName}


def test_named_data_are_trained_with_the_best_recipe() -> None:
    """`best` for named data, `article` for the sample, and the recipe asked for with either."""
    assert Options().recipe_name == "article"
    assert Options(source="data.csv").recipe_name == "best"
    assert Options(recipe="best").recipe_name == "best"
    assert Options(source="data.csv", recipe="article").recipe_name == "article"


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_has_data(name: str) -> None:
    """The name of an example is valid, and its sample has the column to predict."""
    example = EXAMPLES[check_name(name)]
    table = read_table(str(example.data), named_columns(example.target))
    labels = {str(value) for value in table.columns[example.target]}
    assert len(labels) == 2
    assert not example.words or labels <= example.words.keys()


def test_each_model_has_a_folder() -> None:
    """Models of different names do not overwrite each other."""
    assert model_folder("churn").as_posix() == ".local/model/churn"
    assert Options().output == model_folder("review")


def test_commands_may_run_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models are in the project's folder, whichever folder is the current one."""
    monkeypatch.chdir(ROOT)
    assert stored_folder("churn") == model_folder("churn")
    monkeypatch.chdir(tmp_path)
    assert stored_folder("churn") == ROOT / model_folder("churn")


def test_a_model_can_be_made() -> None:
    """Only an example can be trained without data of one's own."""
    assert make_command("review") == "python -m training train"
    assert make_command("churn") == "python -m training train --name churn"
    assert make_command("tickets") == "python -m training train --name tickets --data FILE"

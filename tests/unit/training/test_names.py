"""Names of models."""

import re

import pytest

from training.errors import TrainingError
from training.names import check_name


@pytest.mark.parametrize("name", ["a", "churn", "house-prices-2", "a" * 24])
def test_valid_names_are_returned(name: str) -> None:
    """Lower case letters, digits and hyphens, up to 24 characters."""
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "Churn", "2nd", "a_b", "a--b", "a-", "-a", "a/b", "..", "a b", "größe", "a" * 25, "a\n"],
)
def test_other_names_are_refused(name: str) -> None:
    """A name that would not fit a key, a path or a function is refused, with the rule."""
    with pytest.raises(TrainingError, match="lower case letters, digits and single hyphens"):
        check_name(name)


@pytest.mark.parametrize(
    ("name", "usual"),
    [("House Prices", "house-prices"), ("my_model", "my-model"), ("2nd-model", "nd-model")],
)
def test_a_valid_name_is_suggested(name: str, usual: str) -> None:
    """The error ends with a name that would be valid."""
    with pytest.raises(TrainingError, match=re.escape(f"such as {usual}")):
        check_name(name)
    assert check_name(usual) == usual


def test_names_of_other_endpoints_are_refused() -> None:
    """A model called `health` could have no endpoint."""
    with pytest.raises(TrainingError, match="'health' is taken: GET /health tells of every model"):
        check_name("health")


@pytest.mark.parametrize("name", ["class", "import", "lambda"])
def test_words_of_python_are_refused(name: str) -> None:
    """An endpoint of that name could not be imported."""
    with pytest.raises(TrainingError, match="is a word of Python"):
        check_name(name)

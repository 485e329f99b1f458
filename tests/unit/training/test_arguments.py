"""Arguments that several commands share."""

import re

import pytest

from training.commands.arguments import columns, words
from training.errors import TrainingError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], {}),
        (["0=stays,1=leaves"], {"0": "stays", "1": "leaves"}),
        (
            ["0=Negative Review, 1=Positive Review"],
            {"0": "Negative Review", "1": "Positive Review"},
        ),
        (["0=stays", "1=leaves"], {"0": "stays", "1": "leaves"}),
        ([r"0=Yes\, please,1=No"], {"0": "Yes, please", "1": "No"}),
        (["0=Yes, please", "1=No, thanks"], {"0": "Yes, please", "1": "No, thanks"}),
        (["a=1,b=2", "c=3"], {"a": "1", "b": "2", "c": "3"}),
        (["0=x=1"], {"0": "x=1"}),
        ([r"a\=b=same"], {"a=b": "same"}),
        ([r"0=back\\slash"], {"0": r"back\slash"}),
        ([r"0=\\,1=b"], {"0": "\\", "1": "b"}),
    ],
)
def test_words_are_pairs(given: list[str], expected: dict[str, str]) -> None:
    """Commas separate pairs unless they are escaped, or each pair has an option of its own."""
    assert words(given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["stays"], "'stays' is not a pair"),
        (["0=Yes, please"], "'please' is not a pair of a class and a word"),
        (["0="], "'0=' is not a pair"),
        (["=stays"], "'=stays' is not a pair"),
        (["0=a,"], "'' is not a pair"),
        (["0=a,0=b"], "gives class 0 twice"),
        (["0=a", "0=b"], "gives class 0 twice"),
        (["0=a,1=a"], "gives the word 'a' twice"),
    ],
)
def test_a_mistake_in_words_is_named(given: list[str], message: str) -> None:
    """The error shows the part that is wrong."""
    with pytest.raises(TrainingError, match=re.escape(message)):
        words(given)


def test_columns_are_separated_by_commas() -> None:
    """Names may have blanks around them, and commas inside them if these are escaped."""
    assert columns([], "--integers") == ()
    assert columns(["a, b", "c"], "--integers") == ("a", "b", "c")
    assert columns([r"income\, net,age"], "--integers") == ("income, net", "age")
    with pytest.raises(TrainingError, match="--leave-out a,,b has an empty name"):
        columns(["a,,b"], "--leave-out")

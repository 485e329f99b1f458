"""Instances that a model fails for, found among those that it does not fail for."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sklearn_api.errors import InvalidInstancesError
from sklearn_api.failures import example, unfit_instances
from sklearn_api.model import Prediction
from sklearn_api.signature import NUMBER, REGRESSION, STRING, TABLE, TEXT, Input, Signature
from tests.helpers.stored import REVIEW_SIGNATURE

ROOMS = Signature(TABLE, REGRESSION, (Input("rooms", NUMBER, example=3.0), Input("age", NUMBER)))


class FailingModel:
    """A model of numbers that fails for some of them.

    Parameters
    ----------
    fails : callable
        Whether it fails for an instance.
    error : type
        What it raises.
    """

    form = "sklearn"
    signature = ROOMS

    def __init__(self, fails: Callable[[Any], bool], error: type[Exception] = ValueError) -> None:
        self.calls = 0
        self._fails = fails
        self._error = error

    def predict(self, instances: Sequence[Any]) -> list[Prediction]:
        self.calls += 1
        if any(self._fails(one["rooms"]) for one in instances):
            raise self._error("input X contains the secret value")
        return [Prediction(0.0) for _ in instances]


def instances(count: int) -> list[dict[str, float]]:
    return [{"rooms": float(number)} for number in range(count)]


def found(model: FailingModel, count: int, **options: Any) -> InvalidInstancesError:
    """Return the error about so many instances."""
    error = unfit_instances(model, instances(count), many=True, **options)
    assert error is not None
    return error


@pytest.mark.parametrize("bad", [{0}, {999}, {7, 8, 500}, set(range(100, 120))])
def test_all_instances_that_it_fails_for_are_named(bad: set[float]) -> None:
    """They are found by halving, with few calls of the model."""
    model = FailingModel(lambda rooms: rooms in bad)
    error = found(model, 1000)
    assert [one.instance for one in error.mistakes] == sorted(bad)
    assert {one.field for one in error.mistakes} == {None}
    assert model.calls < 25 * len(bad) + 2
    assert "more" not in str(error)
    assert "secret" not in str(error)


def test_the_search_ends_with_twenty() -> None:
    """There are more, which the message says."""
    model = FailingModel(lambda rooms: rooms >= 100)
    error = found(model, 1000)
    assert [one.instance for one in error.mistakes] == list(range(100, 120))
    assert "but there are more" in str(error)
    assert model.calls < 100


def test_the_search_ends_in_time() -> None:
    """When the time is over, those found so far are named, but one at least."""
    error = found(FailingModel(lambda rooms: rooms > 3), 1000, seconds=0.0)
    assert [one.instance for one in error.mistakes] == [4]
    assert "but there are more" in str(error)


def test_a_single_instance_needs_no_search() -> None:
    """It failed alone, and the example did not."""
    model = FailingModel(lambda rooms: rooms == 0)
    error = unfit_instances(model, instances(1), many=False)
    assert error is not None
    assert str(error) == "the model cannot handle the values of this instance"
    assert model.calls == 1


@pytest.mark.parametrize("error", [ValueError, TypeError, OverflowError])
def test_a_model_that_fails_for_its_own_example_is_to_blame(error: type[Exception]) -> None:
    """If it fails for whatever it is asked, no instance is."""
    model = FailingModel(lambda rooms: True, error)
    assert unfit_instances(model, instances(1000), many=True) is None
    assert model.calls == 1


def test_a_model_that_fails_for_no_instance_alone_is_to_blame() -> None:
    """A failure that cannot be repeated is none of the client's."""
    assert unfit_instances(FailingModel(lambda rooms: False), instances(8), many=True) is None


def test_another_error_during_the_search_is_raised() -> None:
    """Running out of memory says nothing about an instance."""
    with pytest.raises(MemoryError):
        unfit_instances(
            FailingModel(lambda rooms: rooms == 2, MemoryError), instances(4), many=True
        )


def test_the_example_has_all_inputs() -> None:
    """It is a row, or a text; without an example in the signature, any text."""
    assert example(FailingModel(bool)) == {"rooms": 3.0, "age": None}

    class TextModel(FailingModel):
        signature = REVIEW_SIGNATURE

    assert example(TextModel(bool)) == "a good film"
    TextModel.signature = Signature(TEXT, REGRESSION, (Input("text", STRING),))
    assert example(TextModel(bool)) == "text"

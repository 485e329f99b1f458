"""Finds the instances that a model cannot predict, after it has failed for all of them at once.

A pipeline may refuse values that fit its signature: numbers that are too large for float32,
categories that its encoder does not know. What scikit-learn says about them is not for clients: it
repeats the values, and speaks of arrays.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from sklearn_api.errors import InvalidInstancesError, Mistake
from sklearn_api.model import Model
from sklearn_api.signature import TEXT

UNFIT = (ValueError, TypeError, ArithmeticError)
"""What scikit-learn and numpy raise about values. Other errors are not about the instances."""

_SECONDS = 5.0  # that the search may take: a Lambda's client is waiting
_DETAIL = "the model cannot handle the values of this instance"


def unfit_instances(
    model: Model, instances: Sequence[Any], *, many: bool, seconds: float = _SECONDS
) -> InvalidInstancesError | None:
    """Return the error that names the instances that a model fails for.

    Parameters
    ----------
    model : Model
        It has just failed.
    instances : sequence
        What it failed for.
    many : bool
        Whether the client sent a list of them.
    seconds : float
        After this time, the search ends with those found so far, if there are any.

    Returns
    -------
    InvalidInstancesError or None
        None if the instances are not the reason: the model fails for the signature's own example
        as well, or for none of them alone.
    """
    if _fails(model, [example(model)]):
        return None
    until = time.monotonic() + seconds
    found: list[int] = []
    more = False
    for number in _failing(model, instances, 0):
        if len(found) == InvalidInstancesError.MOST:
            more = True
            break
        found.append(number)
        if time.monotonic() > until:
            more = True
            break
    if not found:
        return None
    return InvalidInstancesError([Mistake(n, None, _DETAIL) for n in found], many=many, more=more)


def example(model: Model) -> Any:
    """Return the instance that the signature gives as an example."""
    inputs = model.signature.inputs
    if model.signature.kind == TEXT:
        return inputs[0].example or "text"
    return {one.name: one.example for one in inputs}


def _failing(model: Model, instances: Sequence[Any], first: int) -> Iterator[int]:
    """Yield the positions of instances that a model fails for, given that it fails for all."""
    if len(instances) == 1:
        yield first
        return
    middle = len(instances) // 2
    for start, half in ((0, instances[:middle]), (middle, instances[middle:])):
        if _fails(model, half):
            yield from _failing(model, half, first + start)


def _fails(model: Model, instances: Sequence[Any]) -> bool:
    try:
        model.predict(instances)
    except UNFIT:
        return True
    return False

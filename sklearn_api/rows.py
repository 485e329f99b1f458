"""Rows of a table as a pipeline reads them without pandas: from JSON values to an array.

A pipeline that was fitted on a DataFrame saw each column with a type of its own. An array has one
type for all columns, so that a table of numbers becomes an array of floats, and any other table an
array of Python objects.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sklearn_api.signature import Input

if TYPE_CHECKING:
    import numpy as np


def rows_as_array(
    instances: Sequence[Mapping[str, Any]], inputs: Sequence[Input]
) -> "np.ndarray[Any, Any]":
    """Return instances as the array that a pipeline without names of columns predicts from.

    Parameters
    ----------
    instances : sequence of mapping
        From names of columns to values of JSON: None, bool, int, float, str. A column that an
        instance does not have is a missing value; others are ignored.
    inputs : sequence of Input
        The columns, in the order in which the pipeline was fitted.

    Returns
    -------
    ndarray of shape (n_instances, n_inputs)
        Of float64 if no column holds Python objects, else of objects.
    """
    import numpy as np

    dtype = object if any(one.objects for one in inputs) else float
    array = np.empty((len(instances), len(inputs)), dtype)
    for row, instance in enumerate(instances):
        for position, one in enumerate(inputs):
            array[row, position] = one.value(instance.get(one.name))
    return array

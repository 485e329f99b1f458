"""Rows of a table as a pipeline reads them without pandas: from JSON values to an array.

A pipeline that was fitted on a DataFrame saw each column with a type of its own. An array has one
type for all columns, so that a table of numbers becomes an array of floats, and any other table an
array of Python objects. This module needs numpy only, so that a Lambda can use it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

NAN = float("nan")

STRING = "string"
NUMBER = "number"
INTEGER = "integer"
BOOLEAN = "boolean"


class Column(NamedTuple):
    """A column as the pipeline saw it when it was fitted.

    Attributes
    ----------
    name : str
        Key of its values in an instance.
    type : str
        ``string``, ``number``, ``integer`` or ``boolean``.
    objects : bool
        Whether an array of it is one of Python objects. Strings are always objects, and so are
        numbers in a column of dtype ``object``: encoders store such categories as objects, which
        they cannot compare with floats. Booleans are as well: a DataFrame of numbers and booleans
        is an array of objects.
    missing : float or None
        What the pipeline takes for a missing value: NaN, or None where the DataFrame held None.
        To most estimators None is a category like any other, and NaN is a gap.
    """

    name: str
    type: str
    objects: bool = False
    missing: float | None = NAN

    def value(self, value: Any) -> Any:
        """Return a value of JSON as the pipeline saw it.

        A client's JSON has one kind of number: 3 may arrive as 3.0, and 3.0 as 3.

        Raises
        ------
        ValueError, TypeError, OverflowError
            A number cannot be read as one. Requests are to be checked before.
        """
        if value is None:
            return self.missing
        if self.type == NUMBER:
            return float(value)
        if self.type == INTEGER and isinstance(value, float) and value.is_integer():
            return int(value)
        return value


def rows_as_array(
    instances: Sequence[Mapping[str, Any]], columns: Sequence[Column]
) -> "np.ndarray[Any, Any]":
    """Return instances as the array that a pipeline without names of columns predicts from.

    Parameters
    ----------
    instances : sequence of mapping
        From names of columns to values of JSON: None, bool, int, float, str. A column that an
        instance does not have is a missing value; others are ignored.
    columns : sequence of Column
        In the order in which the pipeline was fitted.

    Returns
    -------
    ndarray of shape (n_instances, n_columns)
        Of float64 if no column holds Python objects, else of objects.
    """
    import numpy as np

    dtype = object if any(column.objects for column in columns) else float
    array = np.empty((len(instances), len(columns)), dtype)
    for row, instance in enumerate(instances):
        for position, column in enumerate(columns):
            array[row, position] = column.value(instance.get(column.name))
    return array

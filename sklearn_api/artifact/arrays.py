"""Reads arrays from ``.npy`` files, checking each header before memory is allocated for it."""

import ast
import functools
import math
import re
from typing import Any, Literal

from sklearn_api.errors import ArtifactError

_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00.."
    rb"\{'descr': (?P<descr>.{1,4000}), 'fortran_order': (?P<fortran>False|True), "
    rb"'shape': \((?P<shape>[0-9, ]{0,400})\), \} *\n",
    re.DOTALL,
)


def read_array(name: str, content: bytes) -> Any:
    """Return the array of an ``.npy`` file.

    Parameters
    ----------
    name : str
        The member's name, for error messages.
    content : bytes
        The file, in version 1.0 of the format and without objects
        (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).

    Returns
    -------
    ndarray
        A writable copy.

    Raises
    ------
    ArtifactError
        It is not such a file, or its size does not match its header.
    """
    import numpy as np

    start = 10 + int.from_bytes(content[8:10], "little")
    try:
        header = _HEADER.fullmatch(content[:start])
        if header is None:
            raise ValueError("its header is not one that numpy writes")
        dtype = _dtype(header["descr"])
        shape = tuple(int(length) for length in header["shape"].split(b",") if length.strip())
        # numpy would allocate the whole array first, however little data follows.
        size = math.prod(shape)
        if size * dtype.itemsize != len(content) - start:
            raise ValueError("its size does not match its header")
        if not size:
            return np.empty(shape, dtype)
        array = np.frombuffer(content, dtype, offset=start)
        order: Literal["C", "F"] = "F" if header["fortran"] == b"True" else "C"
        return array.reshape(shape, order=order).copy(order="K")
    # A header is a Python literal, and can be malformed in many ways.
    except Exception as exc:
        raise ArtifactError(
            f"the artifact's {name} is not a valid array: {type(exc).__name__}: {exc}"
        ) from exc


@functools.lru_cache(maxsize=32)  # The arrays of a forest have two or three dtypes.
def _dtype(descr: bytes) -> Any:
    """Return the dtype that a header describes."""
    import numpy as np

    dtype = np.lib.format.descr_to_dtype(ast.literal_eval(descr.decode("ascii")))
    if dtype.hasobject or not dtype.itemsize:
        raise ValueError("its items are neither numbers nor strings")
    return dtype

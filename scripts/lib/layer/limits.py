"""How much of Lambda's limit of 250 MB the layer may use."""

from collections import Counter
from collections.abc import Mapping

from scripts.lib.layer.errors import LayerError

LIMIT_BYTES = 262_144_000
"""Limit for all layers and the code of one function, unzipped: AWS's "250 MB" (Lambda quotas)."""

RESERVE_BYTES = 5_000_000
"""How much of the limit is reserved for a function's own code."""


def check_total(
    layer_size: int, function_sizes: Mapping[str, int], limit_bytes: int = LIMIT_BYTES
) -> None:
    """Check that every function fits into Lambda together with the layer.

    Parameters
    ----------
    layer_size : int
        Bytes of the unzipped layer.
    function_sizes : mapping of str to int
        Bytes of each function's own unzipped code, by the function's name.
    limit_bytes : int
        AWS's limit for both together.

    Raises
    ------
    LayerError
        A function is over the limit. The message names every such function.
    """
    over = {name: size for name, size in function_sizes.items() if layer_size + size > limit_bytes}
    if over:
        names = ", ".join(f"{name} ({megabytes(size)})" for name, size in sorted(over.items()))
        raise LayerError(
            f"Lambda's limit is {megabytes(limit_bytes)} unzipped, and the layer alone has "
            f"{megabytes(layer_size)}, which leaves no room for {names}"
        )


def check_size(folders: Counter[str], limit: int) -> None:
    """Check the size of the layer itself.

    Parameters
    ----------
    folders : Counter of str
        Unzipped bytes of each part.
    limit : int
        How many bytes all parts together may have.

    Raises
    ------
    LayerError
        The layer is over the limit. The message names the four largest parts.
    """
    if folders.total() > limit:
        largest = ", ".join(f"{name} {megabytes(size)}" for name, size in folders.most_common(4))
        raise LayerError(
            f"the layer would have {megabytes(folders.total())} unzipped, but Lambda's limit "
            f"leaves {megabytes(limit)} for it, with room for a function; the largest parts: "
            f"{largest}"
        )


def megabytes(size: int) -> str:
    """Return a number of bytes in MB (10⁶), with the unit."""
    return f"{size / 1e6:.1f} MB"

"""What Lambda's limit of 250 MB leaves for the layer."""

from collections import Counter
from collections.abc import Mapping

from scripts.lib.layer.errors import LayerError

LIMIT_BYTES = 262_144_000
"""All layers and the code of one function, unzipped: AWS's "250 MB" (Lambda quotas)."""

RESERVE_BYTES = 5_000_000
"""How much of the limit is left to a function's own code."""


def check_total(
    layer_size: int, function_sizes: Mapping[str, int], limit_bytes: int = LIMIT_BYTES
) -> None:
    """Check that every function still fits into Lambda beside the layer.

    Parameters
    ----------
    layer_size : int
        Bytes of the layer, unzipped.
    function_sizes : mapping of str to int
        Bytes of each function's own code, unzipped, by the function's name.
    limit_bytes : int
        AWS's limit for the two together.

    Raises
    ------
    LayerError
        One of them is over the limit; the message names every such function.
    """
    over = {name: size for name, size in function_sizes.items() if layer_size + size > limit_bytes}
    if over:
        names = ", ".join(f"{name} ({megabytes(size)})" for name, size in sorted(over.items()))
        raise LayerError(
            f"Lambda takes {megabytes(limit_bytes)} unzipped, and the layer alone has "
            f"{megabytes(layer_size)}: no room for {names}"
        )


def check_size(folders: Counter[str], limit: int) -> None:
    """Check the size of the layer itself.

    Parameters
    ----------
    folders : Counter of str
        Bytes of each part, unzipped.
    limit : int
        What the layer may have in all.

    Raises
    ------
    LayerError
        It has more; the message names the four largest parts.
    """
    if folders.total() > limit:
        largest = ", ".join(f"{name} {megabytes(size)}" for name, size in folders.most_common(4))
        raise LayerError(
            f"the layer would have {megabytes(folders.total())} unzipped, and "
            f"{megabytes(limit)} is what Lambda's limit leaves for it beside a function; "
            f"the largest parts: {largest}"
        )


def megabytes(size: int) -> str:
    """Return a number of bytes in MB (10⁶), with the unit."""
    return f"{size / 1e6:.1f} MB"

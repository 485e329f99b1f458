"""Finds what a pipeline contains, before it is dumped."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

_LEAVES = (str, bytes, type, ModuleType)


def contents(pipeline: object) -> Iterator[Any]:
    """Yield every object in a pipeline once, itself included; but no strings, types and modules.

    A module would lead to everything in the process, and a spline of newer versions of scipy refers
    to numpy itself. Nor are the integers in a dict yielded, such as the indices in a vocabulary.

    Parameters
    ----------
    pipeline : estimator
        It is not changed.
    """
    import numpy as np

    seen: dict[int, Any] = {}  # By keeping the objects, it keeps their ids from being reused.
    pending: list[Any] = [pipeline]
    while pending:
        value = pending.pop()
        if id(value) in seen or isinstance(value, _LEAVES):
            continue
        seen[id(value)] = value
        yield value
        if isinstance(value, np.ndarray):
            pending.extend(value.flat if value.dtype.hasobject else ())
        elif type(value) is dict and _is_flat(value):
            continue
        elif isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, (list, tuple, set)):
            pending.extend(value)
        elif hasattr(value, "__dict__"):
            pending.extend(vars(value).values())


def _is_flat(value: dict[Any, Any]) -> bool:
    """Return whether a dict has nothing but integers as values."""
    import numpy as np

    return set(map(type, value.values())) <= {int, np.int64}


def find_vocabularies(pipeline: object) -> tuple[dict[int, dict[str, Any]], dict[int, Any]]:
    """Return the vocabularies in a pipeline, and a memo for `deepcopy`.

    The memo replaces each vocabulary with an empty dict, and the vocabularies are returned by the
    ids of these dicts. The memo also keeps arrays from being copied.

    Parameters
    ----------
    pipeline : estimator
        It is not changed.
    """
    import numpy as np

    vocabularies: dict[int, dict[str, Any]] = {}
    memo: dict[int, Any] = {}
    for value in contents(pipeline):
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            memo[id(value)] = value
        elif _is_vocabulary(value):
            memo[id(value)] = {}
            vocabularies[id(memo[id(value)])] = value
    return vocabularies, memo


def _is_vocabulary(value: object) -> bool:
    """Return whether a value maps strings to the integers from 0 on, all of one type."""
    import numpy as np

    if type(value) is not dict or not value or set(map(type, value)) != {str}:
        return False
    if set(map(type, value.values())) not in ({int}, {np.int64}):
        return False
    return sorted(value.values()) == list(range(len(value)))

"""Checks code of one's own in a pipeline, before it is dumped.

An artifact contains the state of objects and the names of their types and of functions. What a
Lambda makes of them comes from the modules that ship with its endpoint.
"""

import importlib
from collections.abc import Collection
from types import FunctionType
from typing import Any

from sklearn_api.errors import ArtifactError
from training.artifact.advice import advice
from training.artifact.contents import contents

_VALUES = (dict, list, tuple, set, frozenset, str, bytes, int, float, complex)


def check_own_code(pipeline: object, own_code: Collection[str]) -> None:
    """Check the functions and types of a pipeline that are code of one's own.

    Parameters
    ----------
    pipeline : estimator
        It is not changed.
    own_code : collection of str
        Full names of types and functions. Others are not checked here.

    Raises
    ------
    ArtifactError
        One of them is not what its module defines under this name, or is a type of which an
        artifact cannot store objects; the message says what to do.
    """
    if not own_code:
        return
    if mine := [name for name in own_code if name.startswith("__main__.")]:
        raise ArtifactError(f"own_code names {', '.join(mine)}; {advice(mine)}")
    for value in contents(pipeline):
        found = value if isinstance(value, FunctionType) else type(value)
        name = f"{found.__module__}.{found.__name__}"
        if name in own_code:
            _check_definition(name, found)
            if isinstance(found, type):
                _check_type(name, found)


def _check_definition(name: str, found: Any) -> None:
    module, _, attribute = name.rpartition(".")
    try:
        defined = getattr(importlib.import_module(module), attribute)
    # Importing it runs any code.
    except Exception as exc:
        raise ArtifactError(
            f"{name} cannot be imported: {type(exc).__name__}: {exc}; define it at the top level "
            "of a module, and fit again"
        ) from exc
    if defined is not found:
        raise ArtifactError(
            f"the pipeline contains another {attribute} than the one that {module} defines: "
            "define it at the top level of the module, and fit again in a new process"
        )


def _check_type(name: str, found: type) -> None:
    if issubclass(found, _VALUES):
        raise ArtifactError(
            f"{name} derives from {found.__mro__[-2].__name__}, and an artifact cannot store that: "
            "keep the value in an attribute instead"
        )
    reducing = {"__reduce__", "__reduce_ex__"}
    if any(reducing & vars(base).keys() for base in found.__mro__[:-1]):
        raise ArtifactError(
            f"{name} defines __reduce__, which is never called when an artifact is read: define "
            "__getstate__ and __setstate__ instead, with a dict as the state"
        )

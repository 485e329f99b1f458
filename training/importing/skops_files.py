"""Reads a pipeline from a skops file, which runs no code."""

import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sklearn_api.artifact import trusted as ours
from training.artifact.advice import advice
from training.errors import TrainingError
from training.importing.versions import same_version

_TRUSTED = (
    ours.TYPES
    | ours.TREES
    | ours.LOSSES
    | ours.SEARCH_TREES
    | ours.METRICS
    | ours.DICTS
    | ours.NAMED_TUPLES
    | ours.MATRICES
    | ours.VALUE_TYPES
    | ours.FUNCTIONS
    | {"numpy.dtype"}  # of what an imputer fills in
    | {f"scipy.interpolate._bsplines.{name}" for name in ("BSpline", "_BSpline")}
)
"""What the project trusts, some of which skops does not."""


def load_skops(path: Path, own_code: Collection[str] = ()) -> Any:
    """Return the object in a skops file.

    Parameters
    ----------
    path : Path
        Written by `skops.io.dump`.
    own_code : collection of str
        Full names of types and functions of one's own, which are imported.

    Raises
    ------
    TrainingError
        It is damaged, or contains types that neither skops nor the project trusts; the message
        names them.
    """
    import skops.io

    trusted = _TRUSTED | set(own_code)
    try:
        with same_version(path.name):
            unknown = sorted(set(skops.io.get_untrusted_types(file=path)) - trusted)
            if unknown:
                raise TrainingError(
                    f"{path.name} contains types that are not trusted: {', '.join(unknown)}; "
                    f"{advice(unknown)}"
                )
            return skops.io.load(path, trusted=sorted(trusted))
    except (TrainingError, KeyboardInterrupt):
        raise
    except (zipfile.BadZipFile, KeyError) as exc:
        raise TrainingError(
            f"{path} is not a skops file, or is damaged: write it with skops.io.dump(pipeline, "
            f"{path.name!r})"
        ) from exc
    # skops checks what it reads, and raises errors of many types.
    except Exception as exc:
        raise TrainingError(f"{path} cannot be read: {type(exc).__name__}: {exc}"[:500]) from exc

"""What comes first about an artifact: that it was made for what reads it.

Only Python is needed for it, so that a compiled model pays for nothing else.
"""

import json
import math
import re
import sys
from collections.abc import Mapping
from typing import Any

from sklearn_api.archive import Archive, Content
from sklearn_api.calibration import Calibration
from sklearn_api.errors import ArtifactError

FORMAT = 3
HEADER = "artifact.json"
COMPILED = "compiled.json"
"""Member that is there where an artifact has a compiled form."""

_MAX_HEADER = 64 * 1024
_MEMBER = re.compile(
    r"artifact\.json|pipeline\.json|array-\d+\.npy|vocabulary-\d+\.(txt|json)"
    r"|compiled\.json|compiled-\d+\.(npy|txt|json|bin)"
)


def python_version() -> str:
    """Return the running Python as ``3.13``: bytecode and wheels are good for one of them."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def open_artifact(content: Content, max_bytes: int) -> tuple[Archive, dict[str, Any]]:
    """Check an artifact; return its members and its header.

    Parameters
    ----------
    content : bytes or bytearray
        The artifact.
    max_bytes : int
        What it may unpack to.

    Raises
    ------
    ArtifactError
        The message names the check that failed, with the two values that differ.
    """
    archive = Archive(content, max_bytes)
    try:
        header = json.loads(archive.read(HEADER, _MAX_HEADER))
    except (ValueError, RecursionError) as exc:
        raise ArtifactError(f"the artifact's {HEADER} is not JSON") from exc
    if not isinstance(header, dict):
        raise ArtifactError(f"the artifact's {HEADER} is not a JSON object")
    check_made_with(header, {"format": FORMAT, "python": python_version()})
    others = sorted(name for name in archive.names if not _MEMBER.fullmatch(name))
    if others:
        raise ArtifactError(
            f"the artifact has members that are not those of a model: {str(others)[:200]}"
        )
    return archive, header


def check_artifact(content: Content, max_bytes: int, wanted: str, scikit_learn: str | None) -> str:
    """Check an artifact as far as that needs no scikit-learn, and load nothing.

    Parameters
    ----------
    content, max_bytes : bytes or bytearray, int
        As for `open_artifact`.
    wanted : str
        `Settings.predictor`.
    scikit_learn : str or None
        The version that it must have been made with where scikit-learn serves it, None for any.

    Returns
    -------
    str
        The form that serves: ``compiled`` or ``sklearn``.

    Raises
    ------
    ArtifactError
        As `predictor.read_model`, but for what is wrong inside the model.
    """
    archive, header = open_artifact(content, max_bytes)
    read_calibration(header)
    if chosen_form(archive, header, wanted) == "compiled":
        return "compiled"
    if scikit_learn is not None:
        check_made_with(header, {"scikit-learn": scikit_learn})
    return "sklearn"


def chosen_form(archive: Archive, header: Mapping[str, Any], wanted: str) -> str:
    """Return which form of a model serves, ``compiled`` or ``sklearn``.

    Raises
    ------
    ArtifactError
        Only the compiled form is wanted, and there is none.
    """
    if wanted != "sklearn" and COMPILED in archive.names:
        return "compiled"
    if wanted == "compiled":
        raise ArtifactError(
            f"PREDICTOR is 'compiled', but the model has no compiled form: {not_compiled(header)}"
        )
    return "sklearn"


def check_made_with(header: Mapping[str, Any], wanted: Mapping[str, object]) -> None:
    """Refuse an artifact that was made with something else than this Lambda runs."""
    for name, expected in wanted.items():
        found = header.get(name)
        if found != expected:
            raise ArtifactError(
                f"the artifact was made with {name} {str(found)[:80]}, this Lambda runs {name} "
                f"{expected}; train and publish again, or deploy what the artifact was made with"
            )


def read_calibration(header: Mapping[str, Any]) -> Calibration | None:
    """Return the calibration in a header.

    Raises
    ------
    ArtifactError
        It is not a sigmoid of two finite numbers.
    """
    stored = header.get("calibration")
    if stored is None:
        return None
    if not isinstance(stored, dict) or stored.get("method") != "sigmoid":
        raise ArtifactError(f"the artifact's calibration {str(stored)[:80]} is not a sigmoid")
    slope, intercept = stored.get("slope"), stored.get("intercept")
    # Integers are refused: `isfinite` overflows on one that is larger than any float.
    if not isinstance(slope, float) or not isinstance(intercept, float):
        raise ArtifactError(f"the artifact's calibration {str(stored)[:80]} is not of floats")
    if not math.isfinite(slope) or not math.isfinite(intercept):
        raise ArtifactError(f"the artifact's calibration {str(stored)[:80]} is not finite")
    return Calibration(slope, intercept)


def not_compiled(header: Mapping[str, Any]) -> str | None:
    """Return why an artifact has no compiled form, None where it has one."""
    reason = header.get("not_compiled")
    return None if reason is None else str(reason)[:500]

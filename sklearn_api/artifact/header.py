"""The artifact header: format and version checks.

It needs nothing but Python, so a cold start with a compiled model imports nothing else for it.
"""

import json
import math
import re
import sys
from collections.abc import Mapping
from typing import Any

from sklearn_api.artifact.archive import Archive, Content
from sklearn_api.calibration import Calibration, OneAgainstRest, Sigmoid, Temperature
from sklearn_api.errors import ArtifactError

FORMAT = 4
HEADER = "artifact.json"
COMPILED = "compiled.json"
"""The member that only an artifact with a compiled form has."""

_MAX_HEADER = 64 * 1024
_MEMBER = re.compile(
    r"artifact\.json|signature\.json|pipeline\.json|array-\d+\.npy|vocabulary-\d+\.(txt|json)"
    r"|compiled\.json|compiled-\d+\.(npy|txt|json|bin)"
)


def python_version() -> str:
    """Return the version of the running Python, such as ``3.13``."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def open_artifact(content: Content, max_bytes: int) -> tuple[Archive, dict[str, Any]]:
    """Check an artifact; return its members and its header.

    Parameters
    ----------
    content : bytes or bytearray
        The artifact.
    max_bytes : int
        Largest size that it may unpack to.

    Raises
    ------
    ArtifactError
        A check failed; the message names it and the two values that differ.
    """
    archive = Archive(content, max_bytes)
    try:
        header = json.loads(archive.read(HEADER, _MAX_HEADER))
    except (ValueError, RecursionError) as exc:
        raise ArtifactError(f"the artifact's {HEADER} is not JSON") from exc
    if not isinstance(header, dict):
        raise ArtifactError(f"the artifact's {HEADER} is not a JSON object")
    check_versions(header, {"format": FORMAT, "python": python_version()})
    others = sorted(name for name in archive.names if not _MEMBER.fullmatch(name))
    if others:
        raise ArtifactError(
            f"the artifact has members that do not belong to a model: {str(others)[:200]}"
        )
    return archive, header


def check_artifact(content: Content, max_bytes: int, form: str, scikit_learn: str | None) -> str:
    """Check everything that can be checked without scikit-learn, and load nothing.

    Parameters
    ----------
    content, max_bytes : bytes or bytearray, int
        As for `open_artifact`.
    form : str
        `Settings.model_form`.
    scikit_learn : str or None
        The scikit-learn version that a model in the ``sklearn`` form must have been made with;
        None if any version will do.

    Returns
    -------
    str
        The form that serves: ``compiled`` or ``sklearn``.

    Raises
    ------
    ArtifactError
        As `load.load_model` raises it, except for damage inside the model.
    """
    archive, header = open_artifact(content, max_bytes)
    read_calibration(header)
    chosen = choose_form(archive, header, form)
    if chosen == "sklearn" and scikit_learn is not None:
        check_versions(header, {"scikit-learn": scikit_learn})
    return chosen


def choose_form(archive: Archive, header: Mapping[str, Any], form: str) -> str:
    """Return the form that serves, ``compiled`` or ``sklearn``.

    Parameters
    ----------
    archive, header : Archive, mapping
        As `open_artifact` returns them.
    form : str
        `Settings.model_form`.

    Raises
    ------
    ArtifactError
        Only the compiled form may serve, and the artifact has none.
    """
    if form != "sklearn" and COMPILED in archive.names:
        return "compiled"
    if form == "compiled":
        raise ArtifactError(
            f"MODEL_FORM is 'compiled', but the model has no compiled form: {not_compiled(header)}"
        )
    return "sklearn"


def check_versions(header: Mapping[str, Any], running: Mapping[str, object]) -> None:
    """Refuse an artifact that was made with other versions than those running here.

    Raises
    ------
    ArtifactError
        The message names the first one that differs, with both versions.
    """
    for name, expected in running.items():
        found = header.get(name)
        if found != expected:
            raise ArtifactError(
                f"the artifact was made with {name} {str(found)[:80]}, this Lambda runs {name} "
                f"{expected}; train and publish again, or deploy what the artifact was made with"
            )


def read_calibration(header: Mapping[str, Any]) -> Calibration | None:
    """Return the calibration in a header, None if the model is not calibrated.

    Raises
    ------
    ArtifactError
        It has another method, or its numbers are not finite.
    """
    stored = header.get("calibration")
    if stored is None:
        return None
    try:
        match stored["method"]:
            case "sigmoid":
                return Sigmoid(_finite(stored["slope"]), _finite(stored["intercept"]))
            case "one_against_rest":
                pairs = zip(stored["slopes"], stored["intercepts"], strict=True)
                return OneAgainstRest(
                    tuple(Sigmoid(_finite(slope), _finite(intercept)) for slope, intercept in pairs)
                )
            case "temperature":
                return Temperature(_finite(stored["factor"]))
            case method:
                raise ValueError(f"the method {str(method)[:80]} is unknown")
    except (KeyError, TypeError, ValueError) as exc:
        raise ArtifactError(
            f"the artifact's calibration {str(stored)[:80]} is damaged: {exc}"
        ) from exc


def _finite(value: Any) -> float:
    # Integers are refused because `isfinite` raises for one that is larger than any float.
    if not isinstance(value, float) or not math.isfinite(value):
        raise ValueError("one of its numbers is not a finite float")
    return value


def not_compiled(header: Mapping[str, Any]) -> str | None:
    """Return why an artifact has no compiled form, None if it has one."""
    reason = header.get("not_compiled")
    return None if reason is None else str(reason)[:500]

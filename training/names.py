"""Names of models.

A model's name is part of the keys of its objects in S3, of its endpoint's path, and of the names of
its function and role, so one rule fits all of them.
"""

import keyword
import re

from training.errors import TrainingError

MAX_LENGTH = 24
"""With it, the names of functions' roles have at most 64 characters, for stages of up to 12."""

_NAME = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TAKEN = {"health": "GET /health tells of every model"}


def check_name(name: str) -> str:
    """Return a model's name.

    Raises
    ------
    TrainingError
        It is not a valid name; the message suggests one.
    """
    if name in _TAKEN:
        raise TrainingError(f"the name {name!r} is taken: {_TAKEN[name]}; choose another")
    if keyword.iskeyword(name):
        raise TrainingError(
            f"the name {name!r} is a word of Python, which its endpoint's folder cannot be called; "
            "choose another"
        )
    if not _NAME.fullmatch(name) or len(name) > MAX_LENGTH:
        usual = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:MAX_LENGTH].strip("-")
        suggestion = f", such as {usual}" if usual and usual not in _TAKEN else ""
        raise TrainingError(
            f"{name!r} is not a valid name of a model: it consists of lower case letters, digits "
            f"and single hyphens, starts with a letter, ends without a hyphen, and has at most "
            f"{MAX_LENGTH} characters{suggestion}"
        )
    return name


def endpoint_folder(name: str) -> str:
    """Return the folder in ``handlers/`` of a model's endpoint, which Python can import."""
    return name.replace("-", "_")

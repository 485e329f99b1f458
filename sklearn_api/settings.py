"""What is configured by environment variables. Nothing else in the package reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from sklearn_api.errors import SettingsError

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Settings:
    """Settings of one Lambda.

    Attributes
    ----------
    model_bucket : str
        ``MODEL_BUCKET``: S3 bucket of the models.
    model_name : str
        ``MODEL_NAME``: which of the models in it.
    model_refresh_seconds : float
        ``MODEL_REFRESH_SECONDS``: how long a model is served before S3 is asked for a newer one.
    max_body_bytes : int
        ``MAX_BODY_BYTES``: largest request body that is read.
    max_artifact_bytes : int
        ``MAX_ARTIFACT_BYTES``: largest artifact that is downloaded, and that it may unpack to.
    log_level : str
        ``LOG_LEVEL``: one of DEBUG, INFO, WARNING, ERROR.
    scikit_learn_version : str or None
        ``SCIKIT_LEARN_VERSION``: what the Lambdas with a model have in their layer, for one that
        has no layer itself; None where it is not set.
    """

    model_bucket: str
    model_name: str
    model_refresh_seconds: float = 60.0
    max_body_bytes: int = 64 * 1024
    max_artifact_bytes: int = 256 * 1024 * 1024
    log_level: str = "INFO"
    scikit_learn_version: str | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings from a mapping such as `os.environ`.

        Raises
        ------
        SettingsError
            One is missing or invalid; the message names it, its value, and what is wanted.
        """
        return cls(
            model_bucket=_text(environ, "MODEL_BUCKET"),
            model_name=_text(environ, "MODEL_NAME"),
            model_refresh_seconds=_seconds(environ, "MODEL_REFRESH_SECONDS", 60.0),
            max_body_bytes=_count(environ, "MAX_BODY_BYTES", cls.max_body_bytes),
            max_artifact_bytes=_count(environ, "MAX_ARTIFACT_BYTES", cls.max_artifact_bytes),
            log_level=_level(environ, "LOG_LEVEL", cls.log_level),
            scikit_learn_version=environ.get("SCIKIT_LEARN_VERSION") or None,
        )


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"the environment variable {name} is not set; serverless.yml sets it")
    return value


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0:
        raise SettingsError(f"{name} is {text!r}; it must be a number of seconds, 0 or more")
    return value


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettingsError(f"{name} is {text!r}; it must be a whole number of bytes, 1 or more")
    return int(text)


def _level(environ: Mapping[str, str], name: str, default: str) -> str:
    value = environ.get(name, default)
    if value not in _LEVELS:
        raise SettingsError(f"{name} is {value!r}; it must be one of {', '.join(_LEVELS)}")
    return value

"""Settings from environment variables, which no other module of the package reads."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from sklearn_api.errors import SettingsError

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_FORMS = ("auto", "compiled", "sklearn")


class Storage(NamedTuple):
    """How to reach S3. AWS sets these variables for every Lambda, except the endpoint.

    Attributes
    ----------
    endpoint : str or None
        ``AWS_ENDPOINT_URL_S3``, or else ``AWS_ENDPOINT_URL``: an S3 other than AWS's.
    region : str
        ``AWS_REGION``, or else ``AWS_DEFAULT_REGION``.
    key, secret, token : str or None
        ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY`` and ``AWS_SESSION_TOKEN``.
    authorities : str or None
        ``AWS_CA_BUNDLE``: file of certificate authorities to trust instead of the system's.
    """

    endpoint: str | None = None
    region: str = "us-east-1"
    key: str | None = None
    secret: str | None = None
    token: str | None = None
    authorities: str | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Storage":
        """Read them from a mapping such as `os.environ`; an empty value counts as not set."""
        defaults = cls._field_defaults
        return cls(
            endpoint=environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or None,
            region=environ.get("AWS_REGION")
            or environ.get("AWS_DEFAULT_REGION")
            or defaults["region"],
            key=environ.get("AWS_ACCESS_KEY_ID") or None,
            secret=environ.get("AWS_SECRET_ACCESS_KEY") or None,
            token=environ.get("AWS_SESSION_TOKEN") or None,
            authorities=environ.get("AWS_CA_BUNDLE") or None,
        )


class Settings(NamedTuple):
    """Settings of one Lambda.

    Attributes
    ----------
    model_bucket : str
        ``MODEL_BUCKET``: S3 bucket that holds the models.
    model_name : str
        ``MODEL_NAME``: the model to serve; empty in the Lambda that has `model_names` instead.
    model_refresh_seconds : float
        ``MODEL_REFRESH_SECONDS``: how long a model serves before S3 is asked for a newer one.
    max_body_bytes : int
        ``MAX_BODY_BYTES``: largest request body.
    max_instances : int
        ``MAX_INSTANCES``: the most instances in one request.
    max_artifact_bytes : int
        ``MAX_ARTIFACT_BYTES``: largest artifact, both packed and unpacked.
    log_level : str
        ``LOG_LEVEL``: one of DEBUG, INFO, WARNING, ERROR.
    scikit_learn_version : str or None
        ``SCIKIT_LEARN_VERSION``: the version in the layer of the Lambdas that predict, for a Lambda
        without a layer; None if it is not set.
    model_form : str
        ``MODEL_FORM``: which form of the model serves. ``auto`` takes the compiled form if there is
        one, ``compiled`` refuses a model without one, and ``sklearn`` never takes it.
    storage : Storage
        How to reach S3.
    model_names : tuple of str
        ``MODEL_NAMES``: the models to report on, separated by commas; empty if it is not set.
    """

    model_bucket: str
    model_name: str
    model_refresh_seconds: float = 60.0
    max_body_bytes: int = 1024 * 1024
    max_instances: int = 1000
    max_artifact_bytes: int = 256 * 1024 * 1024
    log_level: str = "INFO"
    scikit_learn_version: str | None = None
    model_form: str = "auto"
    storage: Storage = Storage()
    model_names: tuple[str, ...] = ()

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings from a mapping such as `os.environ`.

        Raises
        ------
        SettingsError
            A setting is missing or invalid; the message names it, its value and what is allowed.
        """
        defaults = cls._field_defaults
        return cls(
            model_bucket=_text(environ, "MODEL_BUCKET"),
            model_name="" if "MODEL_NAMES" in environ else _text(environ, "MODEL_NAME"),
            model_refresh_seconds=_seconds(
                environ, "MODEL_REFRESH_SECONDS", defaults["model_refresh_seconds"]
            ),
            max_body_bytes=_count(environ, "MAX_BODY_BYTES", "bytes", defaults["max_body_bytes"]),
            max_instances=_count(environ, "MAX_INSTANCES", "instances", defaults["max_instances"]),
            max_artifact_bytes=_count(
                environ, "MAX_ARTIFACT_BYTES", "bytes", defaults["max_artifact_bytes"]
            ),
            log_level=_choice(environ, "LOG_LEVEL", _LEVELS, defaults["log_level"]),
            model_form=_choice(environ, "MODEL_FORM", _FORMS, defaults["model_form"]),
            scikit_learn_version=environ.get("SCIKIT_LEARN_VERSION") or None,
            storage=Storage.from_environ(environ),
            model_names=tuple(filter(None, environ.get("MODEL_NAMES", "").split(","))),
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


def _count(environ: Mapping[str, str], name: str, unit: str, default: int) -> int:
    text = environ.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettingsError(f"{name} is {text!r}; it must be a whole number of {unit}, 1 or more")
    return int(text)


def _choice(environ: Mapping[str, str], name: str, choices: Sequence[str], default: str) -> str:
    value = environ.get(name, default)
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}; it must be one of {', '.join(choices)}")
    return value

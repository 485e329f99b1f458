"""Every error of the package: one base, an HTTP status, and a message that says what to do.

The messages are for clients and for logs. None of them repeats what a client sent.
"""

from collections.abc import Mapping


class SklearnApiError(Exception):
    """Base of all errors here.

    Attributes
    ----------
    status : int
        HTTP status of the answer.
    field : str or None
        The field of the request's body that is to blame, if one is.
    headers : mapping
        Headers that the answer carries besides its own.
    """

    status: int = 500

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.field = field
        self.headers = dict(headers or {})

    @property
    def title(self) -> str:
        """The status in words, such as ``Bad Request``."""
        from http import HTTPStatus  # which a cold start can do without

        return HTTPStatus(self.status).phrase


class BadRequestError(SklearnApiError):
    """The request's body is empty, not UTF-8, not JSON, or not of the expected shape."""

    status = 400


class PayloadTooLargeError(SklearnApiError):
    """The request's body is larger than `Settings.max_body_bytes`."""

    status = 413


class UnsupportedMediaTypeError(SklearnApiError):
    """The request's body is declared as something else than JSON."""

    status = 415


class ModelUnavailableError(SklearnApiError):
    """There is no model to answer with: none is published, or storage cannot be read."""

    status = 503

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})


class ArtifactError(SklearnApiError):
    """A model's artifact or manifest is damaged, or made for something else than this Lambda."""

    status = 503


class SettingsError(SklearnApiError):
    """A setting is missing or makes no sense."""

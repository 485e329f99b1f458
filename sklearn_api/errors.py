"""Every error of the package: one base, an HTTP status, and a message that says what to do.

The messages are for clients and for logs. None of them repeats what the client sent.
"""

from collections.abc import Mapping


class SklearnApiError(Exception):
    """Base class of the package's errors.

    Attributes
    ----------
    status : int
        HTTP status of the answer.
    field : str or None
        The field of the request's body that caused the error, if one did.
    headers : mapping
        Additional headers of the answer.
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
        from http import HTTPStatus  # not needed by a cold start

        return HTTPStatus(self.status).phrase


class BadRequestError(SklearnApiError):
    """The request's body is empty, not UTF-8, not JSON, or does not have the expected shape."""

    status = 400


class PayloadTooLargeError(SklearnApiError):
    """The request's body is larger than `Settings.max_body_bytes`."""

    status = 413


class UnsupportedMediaTypeError(SklearnApiError):
    """The request's body is declared as something other than JSON."""

    status = 415


class ModelUnavailableError(SklearnApiError):
    """There is no model to answer with: none is published, or S3 cannot be read."""

    status = 503

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})


class ArtifactError(SklearnApiError):
    """An artifact or manifest is damaged, or was made for other versions than this Lambda's."""

    status = 503


class SettingsError(SklearnApiError):
    """A setting is missing or invalid."""

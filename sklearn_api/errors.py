"""Every error of the package: one base, an HTTP status, and a message that says what to do.

The messages are for clients and for logs. None of them repeats what the client sent.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Mistake(NamedTuple):
    """What is wrong with one instance of a request.

    Attributes
    ----------
    instance : int
        Its position in the request, counted from 0.
    field : str or None
        The field, as the client named it; None if it is about the whole instance.
    detail : str
        A sentence.
    """

    instance: int
    field: str | None
    detail: str


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
    mistakes : tuple of Mistake
        What is wrong with the request's instances, where that is the error.
    """

    status: int = 500
    mistakes: tuple[Mistake, ...] = ()

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


class InvalidInstancesError(BadRequestError):
    """Instances of a request do not fit the model. Its message is about the first mistake.

    Parameters
    ----------
    mistakes : sequence of Mistake
        One or more, of which the first `MOST` are listed.
    many : bool
        Whether the client sent a list of instances.
    more : bool
        Whether there are more than these, or may be.
    """

    MOST = 20

    def __init__(self, mistakes: Sequence[Mistake], *, many: bool, more: bool = False) -> None:
        first = mistakes[0]
        message = f"instance {first.instance}: {first.detail}" if many else first.detail
        count = min(len(mistakes), self.MOST)
        if more or len(mistakes) > count:
            message += f"; 'errors' lists {count} mistakes, but there are more"
        elif count > 1:
            message += f"; 'errors' lists all {count} mistakes"
        super().__init__(message, field=first.field)
        self.mistakes = tuple(mistakes[: self.MOST])


class PayloadTooLargeError(SklearnApiError):
    """The request's body is larger than `Settings.max_body_bytes`, or its answer than Lambda's."""

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

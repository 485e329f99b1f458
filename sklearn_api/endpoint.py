"""Turns a declaration in `handlers/` into a Lambda handler.

An endpoint is a function from a request to a response. `Endpoint` wraps it with what every endpoint
needs: problem details for errors, and one log line for each request, which never repeats what the
client sent. The endpoints themselves are in `health.py` and `prediction.py`.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from sklearn_api.errors import SklearnApiError
from sklearn_api.http import Request, Response

LambdaHandler = Callable[[object, Any], dict[str, Any]]
_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


class JsonLog:
    """Structured log: one JSON object per line, which CloudWatch Logs Insights can query.

    Parameters
    ----------
    level : str
        The lowest level that is written.
    """

    def __init__(self, level: str) -> None:
        self._least = _LEVELS[level]

    def __call__(self, level: str, message: str, **values: object) -> None:
        """Write one line, unless `level` is below the lowest one."""
        if _LEVELS[level] >= self._least:
            line = json.dumps({"level": level, "message": message, **values}, default=str)
            print(line, file=sys.stdout, flush=True)

    def not_refreshed(self, reason: str) -> None:
        """Warn that a Lambda could not replace its model, and why."""
        self("WARNING", "model not refreshed", reason=reason)


class Endpoint:
    """A Lambda handler around a function.

    Parameters
    ----------
    name : str
        Its name in the log.
    answer : callable
        Turns a request into a response. Its second argument is a dict; what it puts there becomes
        part of the log line.
    log : JsonLog
        Where the log line goes.
    """

    def __init__(
        self,
        name: str,
        answer: Callable[[Request, dict[str, object]], Response],
        log: JsonLog,
    ) -> None:
        self._name = name
        self._answer = answer
        self._log = log
        self._cold = True

    def __call__(self, event: object, context: Any) -> dict[str, Any]:
        """Handle one invocation."""
        started = time.perf_counter()
        aws_request_id = str(getattr(context, "aws_request_id", "-"))
        request = Request.from_event(event, aws_request_id)
        log_fields: dict[str, object] = {}
        try:
            response = self._answer(request, log_fields)
            answered = response.to_event(request.request_id)
        except SklearnApiError as exc:
            log_fields["error"] = f"{type(exc).__name__}: {exc}"
            response = Response.problem(exc, request.request_id)
            answered = response.to_event(request.request_id)
        except Exception as exc:  # The request ends here; the client must not see internals.
            log_fields["error"] = type(exc).__name__
            log_fields["frames"] = frames(exc)
            error = SklearnApiError(
                "an unexpected error; quote the request id to whoever runs this API"
            )
            response = Response.problem(error, request.request_id)
            answered = response.to_event(request.request_id)
        self._log(
            "INFO" if response.status < 500 else "ERROR",
            "request",
            endpoint=self._name,
            request_id=request.request_id,
            lambda_request_id=aws_request_id,
            method=request.method,
            status=response.status,
            duration_ms=round((time.perf_counter() - started) * 1000, 3),
            cold_start=self._cold,
            **log_fields,
        )
        self._cold = False
        return answered


def frames(exc: BaseException) -> list[str]:
    """Return where an exception was raised, for the log.

    The message of an exception can repeat what the client sent; the frames cannot.
    """
    import traceback  # slow to import, and rarely needed

    return [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(exc.__traceback__)
    ]

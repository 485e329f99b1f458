"""What turns a declaration in `handlers/` into a Lambda handler.

An endpoint is a function from a request to a response. `Endpoint` puts around it what all of them
need: errors as problem details, one line of log for each request, and no word of what a client sent
in it. An endpoint with a model stands in `prediction.py`, so that `GET /health` ships and imports
nothing of models.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sklearn_api.errors import SklearnApiError
from sklearn_api.http import JSON, TEXT, Request, Response
from sklearn_api.settings import Settings

LambdaHandler = Callable[[object, Any], dict[str, Any]]
_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


class Log:
    """Structured log: one JSON object a line, which CloudWatch Logs Insights can query.

    Parameters
    ----------
    level : str
        The least level that is written.
    """

    def __init__(self, level: str) -> None:
        self._least = _LEVELS[level]

    def __call__(self, level: str, message: str, **values: object) -> None:
        """Write one line, if `level` is not below the least one."""
        if _LEVELS[level] >= self._least:
            line = json.dumps({"level": level, "message": message, **values}, default=str)
            print(line, file=sys.stdout, flush=True)


class Endpoint:
    """A Lambda handler around a function.

    Parameters
    ----------
    name : str
        How the log calls it.
    answer : callable
        From a request to a response. Values that it puts into the dict it gets as a second argument
        become part of the log line.
    log : Log
        Where the line goes.
    """

    def __init__(
        self,
        name: str,
        answer: Callable[[Request, dict[str, object]], Response],
        log: Log,
    ) -> None:
        self._name = name
        self._answer = answer
        self._log = log
        self._cold = True

    def __call__(self, event: object, context: Any) -> dict[str, Any]:
        """Handle one invocation."""
        begun = time.perf_counter()
        aws_request_id = str(getattr(context, "aws_request_id", "-"))
        request = Request.from_event(event, aws_request_id)
        noted: dict[str, object] = {}
        try:
            response = self._answer(request, noted)
            answered = response.to_event(request.request_id)
        except SklearnApiError as exc:
            noted["error"] = f"{type(exc).__name__}: {exc}"
            response = Response.problem(exc, request.request_id)
            answered = response.to_event(request.request_id)
        except Exception as exc:  # The request ends here, and its client learns no internals.
            noted["error"] = type(exc).__name__
            import traceback  # It is slow to import, and rarely needed.

            # The message of an exception can hold what the client sent; the frames cannot.
            noted["frames"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(exc.__traceback__)
            ]
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
            duration_ms=round((time.perf_counter() - begun) * 1000, 3),
            cold_start=self._cold,
            **noted,
        )
        self._cold = False
        return answered


def health_endpoint() -> LambdaHandler:
    """Return the handler of ``GET /health``.

    It answers ``healthy`` as text, from nothing but its own process. A client that prefers JSON
    also gets name, version and age of the current model, for which the pointer is read from S3.
    """
    settings = Settings.from_environ(os.environ)

    def answer(request: Request, noted: dict[str, object]) -> Response:
        if request.accepts((TEXT, JSON)) == TEXT:
            return Response(200, "healthy", TEXT)
        return Response(200, {"status": "healthy", **_current_model(settings)}, JSON)

    return Endpoint("health", answer, Log(settings.log_level))


def _current_model(settings: Settings) -> dict[str, Any]:
    from sklearn_api.store import ModelStore, create_reader  # only when asked for

    try:
        reader = create_reader(settings.storage, settings.model_bucket)
        store = ModelStore(reader, settings.model_bucket, settings.model_name)
        found = store.pointer()
        assert found is not None, "without an ETag to compare, there is a pointer or an error"
        pointer = found[0]
        age = datetime.now(UTC) - datetime.fromisoformat(pointer.published).astimezone(UTC)
    except (SklearnApiError, ValueError) as exc:
        return {"model": None, "detail": str(exc)}
    model = {
        "name": pointer.name,
        "version": pointer.version,
        "published": pointer.published,
        "age_seconds": int(age.total_seconds()),
        # A version that has a compiled form is served by it, unless that is switched off.
        "predictor": "sklearn" if settings.predictor == "sklearn" else pointer.form,
    }
    return {"model": model}

"""The endpoint that says whether the API answers, and with which model.

It is a Lambda of its own and cannot look into those that predict. It does what they do instead: it
asks for the pointer as often, downloads the artifact as they do, checks it, and keeps the last good
one: not the model, but its name. What keeps them from refreshing keeps it from refreshing.
"""

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sklearn_api.endpoint import Endpoint, LambdaHandler, Log
from sklearn_api.errors import ModelUnavailableError
from sklearn_api.http import JSON, TEXT, Request, Response
from sklearn_api.settings import Settings

if TYPE_CHECKING:
    from sklearn_api.current import CurrentModel
    from sklearn_api.store import Pointer


def health_endpoint() -> LambdaHandler:
    """Return the handler of ``GET /health``.

    It answers ``healthy`` as text, from nothing but its own process. A client that prefers JSON
    gets ``status``, which is ``healthy`` or ``degraded``, and ``model``: name, version, when it was
    published and how many seconds ago, and which form of it serves, or null where there is none.
    When it is degraded, ``detail`` says why the model that S3 names is not the one that is served.
    All of it is status 200: the API answers.
    """
    settings = Settings.from_environ(os.environ)
    log = Log(settings.log_level)
    known: list[CurrentModel[str]] = []  # made by the first request that wants it

    def answer(request: Request, noted: dict[str, object]) -> Response:
        if request.accepts((TEXT, JSON)) == TEXT:
            return Response(200, "healthy", TEXT)
        if not known:
            known.append(_current_model(settings, log))
        return Response(200, _described(known[0]), JSON)

    return Endpoint("health", answer, log)


def _current_model(settings: Settings, log: Log) -> "CurrentModel[str]":
    # Only when asked for: `healthy` as text needs none of it.
    from sklearn_api.current import CurrentModel
    from sklearn_api.header import check_artifact
    from sklearn_api.store import ModelStore, create_reader

    return CurrentModel(
        lambda: ModelStore(
            create_reader(settings.storage, settings.model_bucket),
            settings.model_bucket,
            settings.model_name,
        ),
        lambda content: check_artifact(
            content,
            settings.max_artifact_bytes,
            settings.predictor,
            settings.scikit_learn_version,
        ),
        refresh_seconds=settings.model_refresh_seconds,
        max_bytes=settings.max_artifact_bytes,
        clock=time.monotonic,
        warn=lambda reason: log("WARNING", "model not refreshed", reason=reason),
    )


def _described(current: "CurrentModel[str]") -> dict[str, Any]:
    try:
        served = current.get()
        model = _model(served.pointer, served.model)
    except ModelUnavailableError:
        model = None
    if current.failure is None:
        return {"status": "healthy", "model": model}
    return {"status": "degraded", "model": model, "detail": str(current.failure)}


def _model(pointer: "Pointer", form: str) -> dict[str, Any]:
    try:
        published = datetime.fromisoformat(pointer.published).astimezone(UTC)
        age = int((datetime.now(UTC) - published).total_seconds())
    except ValueError:  # written by hand
        age = None
    return {
        "name": pointer.name,
        "version": pointer.version,
        "published": pointer.published,
        "age_seconds": age,
        "predictor": form,
    }

"""The endpoint that reports whether the API answers, and with which model.

It is a Lambda of its own and cannot look into those that predict. Instead it does what they do: it
asks for the pointer as often, downloads the artifact and checks it, and remembers the last good
version (though not the model itself). Whatever keeps them from refreshing keeps it from refreshing.
"""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sklearn_api.endpoint import Endpoint, JsonLog, LambdaHandler
from sklearn_api.errors import ModelUnavailableError
from sklearn_api.http import JSON, TEXT, Request, Response
from sklearn_api.settings import Settings

if TYPE_CHECKING:
    from sklearn_api.current import CurrentModel
    from sklearn_api.store import Pointer


def health_endpoint() -> LambdaHandler:
    """Return the handler of ``GET /health``.

    It answers ``healthy`` as text without asking anything else. A client that prefers JSON gets
    ``status``, which is ``healthy`` or ``degraded``, and ``model``: its name, version, form, when
    it was published and how many seconds ago, or null if there is none. If the status is
    ``degraded``, ``detail`` says why the model that S3 names is not the one that serves. The HTTP
    status is always 200: the API answers.
    """
    settings = Settings.from_environ(os.environ)
    log = JsonLog(settings.log_level)
    known: list[CurrentModel[str]] = []  # created by the first request that needs it

    def answer(request: Request, log_fields: dict[str, object]) -> Response:
        if request.accepts((TEXT, JSON)) == TEXT:
            return Response(200, "healthy", TEXT)
        if not known:
            known.append(_current_model(settings, log))
        return Response(200, _described(known[0]), JSON)

    return Endpoint("health", answer, log)


def _current_model(settings: Settings, log: JsonLog) -> "CurrentModel[str]":
    # Imported on demand: `healthy` as text needs none of it.
    from sklearn_api.artifact.header import check_artifact
    from sklearn_api.current import CurrentModel

    return CurrentModel.from_settings(
        settings,
        lambda content: check_artifact(
            content,
            settings.max_artifact_bytes,
            settings.model_form,
            settings.scikit_learn_version,
        ),
        warn=log.not_refreshed,
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
        "form": form,
    }

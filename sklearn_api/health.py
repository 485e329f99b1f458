"""The endpoint that reports whether the API answers, and with which models.

It is a Lambda of its own and cannot look into those that predict. Instead it does what they do, for
each of their models: it asks for the pointer as often, downloads the artifact and checks it, and
remembers the last good version (though not the model itself). Whatever keeps them from refreshing
keeps it from refreshing.
"""

import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sklearn_api.endpoint import Endpoint, JsonLog, LambdaHandler
from sklearn_api.errors import ModelUnavailableError
from sklearn_api.http import JSON, TEXT, Request, Response
from sklearn_api.settings import Settings

if TYPE_CHECKING:
    from sklearn_api.current import CurrentModel

ASKING_SECONDS = 5.0
"""After how long a request asks for no further model. API Gateway and Lambda end slow requests."""


def health_endpoint() -> LambdaHandler:
    """Return the handler of ``GET /health``.

    It answers ``healthy`` as text without asking anything else. A client that prefers JSON gets
    ``status``, which is ``healthy`` or ``degraded``, and ``models``, a list with one object for
    each of `Settings.model_names`: the model's ``name``, ``version`` and ``form``, when it was
    ``published`` and ``age_seconds`` ago. All but the name are null if there is no good version. If
    the model that S3 names is not the one that serves, the object's ``detail`` says why, and the
    status is ``degraded``. The HTTP status is always 200: the API answers.
    """
    settings = Settings.from_environ(os.environ)
    log = JsonLog(settings.log_level)
    known: dict[str, CurrentModel[str]] = {}  # filled by the first request that needs it

    def answer(request: Request, log_fields: dict[str, object]) -> Response:
        if request.accepts((TEXT, JSON)) == TEXT:
            return Response(200, "healthy", TEXT)
        if not known:
            known.update(_current_models(settings, log))
        return Response(200, _described(known), JSON)

    return Endpoint("health", answer, log)


def _current_models(settings: Settings, log: JsonLog) -> "dict[str, CurrentModel[str]]":
    # Imported on demand: `healthy` as text needs none of it.
    import threading

    from sklearn_api.artifact.header import check_artifact
    from sklearn_api.current import CurrentModel

    def check(content: bytearray) -> str:
        return check_artifact(
            content,
            settings.max_artifact_bytes,
            settings.model_form,
            settings.scikit_learn_version,
        )

    turn = threading.Lock()  # there is memory for one artifact
    return {
        name: CurrentModel.from_settings(
            settings._replace(model_name=name), check, log.not_refreshed, turn
        )
        for name in settings.model_names
    }


def _described(known: "dict[str, CurrentModel[str]]") -> dict[str, Any]:
    started = time.monotonic()
    for current in sorted(known.values(), key=_checked):  # the others can wait for their turn
        if time.monotonic() - started >= ASKING_SECONDS:
            break
        with suppress(ModelUnavailableError):  # `failure` says why
            current.get()
    models = [_model(name, current) for name, current in known.items()]
    degraded = any("detail" in model for model in models)
    return {"status": "degraded" if degraded else "healthy", "models": models}


def _checked(current: "CurrentModel[str]") -> bool:
    return bool(current.known or current.failure)


def _model(name: str, current: "CurrentModel[str]") -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(("name", "version", "published", "age_seconds", "form"))
    found["name"] = name
    if served := current.known:
        found["version"] = served.pointer.version
        found["published"] = served.pointer.published
        found["age_seconds"] = _age(served.pointer.published)
        found["form"] = served.model
    if current.failure:
        found["detail"] = str(current.failure)
    elif not _checked(current):
        found["detail"] = "not checked yet, since checking other models took long; ask again"
    return found


def _age(published: str) -> int | None:
    """Return how many seconds ago a time was; None if it is not one, written by hand."""
    try:
        then = datetime.fromisoformat(published).astimezone(UTC)
    except ValueError:
        return None
    return int((datetime.now(UTC) - then).total_seconds())

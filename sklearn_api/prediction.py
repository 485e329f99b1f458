"""Endpoints that answer with a model's prediction."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from sklearn_api.current import CurrentModel
from sklearn_api.endpoint import Endpoint, JsonLog, LambdaHandler
from sklearn_api.errors import SklearnApiError
from sklearn_api.http import JSON, TEXT, Request, Response, text_field
from sklearn_api.load import load_model
from sklearn_api.settings import Settings


def prediction_endpoint(
    *, field: str, convert: Callable[[Any], str], aliases: Sequence[str] = ()
) -> LambdaHandler:
    """Return the handler of an endpoint that classifies one text.

    The model is read from S3 at the cold start, before any request, and again whenever S3 names
    another one.

    The answer is JSON with the ``prediction`` in words, the ``label``, the ``score``, the
    ``probability`` of label 1 (from 0 to 1, or null if neither a calibration nor the estimator
    gives one), and the ``model``. A client that prefers text gets the words alone.

    Parameters
    ----------
    field : str
        Field of the request's JSON object that holds the text.
    convert : callable
        Turns a label into the words of the answer.
    aliases : sequence of str
        Other accepted names of the field.

    Returns
    -------
    callable
        A Lambda handler.
    """
    settings = Settings.from_environ(os.environ)
    log = JsonLog(settings.log_level)
    current = CurrentModel.from_settings(
        settings,
        lambda content: load_model(content, settings.max_artifact_bytes, settings.model_form),
        warn=log.not_refreshed,
    )
    try:
        current.get()
    except SklearnApiError as exc:
        # Requests get 503 until there is one.
        log("WARNING", "no model at the start", reason=str(exc))

    def answer(request: Request, log_fields: dict[str, object]) -> Response:
        text = text_field(request.json(settings.max_body_bytes), field, aliases)
        served = current.get()
        log_fields["model_version"] = served.pointer.version
        log_fields["form"] = served.model.form
        (result,) = served.model.predict([text])
        words = convert(result.value)
        if request.accepts((JSON, TEXT)) == TEXT:
            return Response(200, words, TEXT)
        content = {
            "prediction": words,
            "label": result.value,
            "score": result.score,
            "probability": result.probability,
            "model": {"name": served.pointer.name, "version": served.pointer.version},
        }
        return Response(200, content, JSON)

    return Endpoint(settings.model_name, answer, log)

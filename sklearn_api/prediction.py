"""Endpoints that answer with a model's prediction."""

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from sklearn_api.current import CurrentModel
from sklearn_api.endpoint import Endpoint, LambdaHandler, Log
from sklearn_api.errors import SklearnApiError
from sklearn_api.http import JSON, TEXT, Request, Response, text_field
from sklearn_api.predictor import read_model
from sklearn_api.settings import Settings
from sklearn_api.store import ModelStore, create_reader


def prediction_endpoint(
    *, field: str, convert: Callable[[Any], str], aliases: Sequence[str] = ()
) -> LambdaHandler:
    """Return the handler of an endpoint that classifies one text.

    The model is read from S3 when the Lambda starts, outside the time of any request, and again
    whenever S3 names another one.

    The answer is JSON with the ``prediction`` in words, the ``label``, the ``score``, the
    ``probability`` of label 1 (from 0 to 1, or null where the model is not calibrated and gives
    none itself), and the ``model``; or, for a client that prefers text, the words alone.

    Parameters
    ----------
    field : str
        Field of the request's JSON object that holds the text.
    convert : callable
        From a label to the words of the answer.
    aliases : sequence of str
        Other names of the field that are accepted.

    Returns
    -------
    callable
        A Lambda handler.
    """
    settings = Settings.from_environ(os.environ)
    log = Log(settings.log_level)
    model = CurrentModel(
        lambda: ModelStore(
            create_reader(settings.storage, settings.model_bucket),
            settings.model_bucket,
            settings.model_name,
        ),
        lambda content: read_model(content, settings.max_artifact_bytes, settings.predictor),
        refresh_seconds=settings.model_refresh_seconds,
        max_bytes=settings.max_artifact_bytes,
        clock=time.monotonic,
        warn=lambda reason: log("WARNING", "model not refreshed", reason=reason),
    )
    try:
        model.get()
    except SklearnApiError as exc:
        # Requests are answered all the same, with 503 until it is there.
        log("WARNING", "no model at the start", reason=str(exc))

    def answer(request: Request, noted: dict[str, object]) -> Response:
        text = text_field(request.json(settings.max_body_bytes), field, aliases)
        served = model.get()
        noted["model_version"] = served.pointer.version
        noted["predictor"] = served.model.form
        result = served.model.predict(text)
        words = convert(result.label)
        if request.accepts((JSON, TEXT)) == TEXT:
            return Response(200, words, TEXT)
        content = {
            "prediction": words,
            "label": result.label,
            "score": result.score,
            "probability": result.probability,
            "model": {"name": served.pointer.name, "version": served.pointer.version},
        }
        return Response(200, content, JSON)

    return Endpoint(settings.model_name, answer, log)

"""Endpoints that answer with a model's predictions."""

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from sklearn_api.answers import Answers
from sklearn_api.current import CurrentModel
from sklearn_api.endpoint import Endpoint, JsonLog, LambdaHandler, frames
from sklearn_api.errors import SettingsError, SklearnApiError
from sklearn_api.http import JSON, TEXT, Request, Response
from sklearn_api.instances import Batch, InstanceReader
from sklearn_api.load import load_model
from sklearn_api.model import Model, Prediction
from sklearn_api.settings import Settings


class _Loaded(NamedTuple):
    """A model, with all that its signature says about requests and answers."""

    model: Model
    reader: InstanceReader
    answers: Answers


def prediction_endpoint(
    *, aliases: Mapping[str, str] = MappingProxyType({}), own_code: Sequence[str] = ()
) -> LambdaHandler:
    """Return the handler of an endpoint that predicts.

    The model is read from S3 at the cold start, before any request, and again whenever S3 names
    another one. Its signature says which fields an instance has, and in which words it is answered.

    The answer for an instance is JSON with the ``prediction`` and the ``model``, and, unless the
    prediction is a number, with the ``label``, the ``score``, the ``probability`` and the
    ``probabilities``, which are null where the model gives none. A client that prefers text gets
    the prediction alone. Many instances are answered with a list of ``predictions``.

    Parameters
    ----------
    aliases : mapping
        Other accepted names of fields, from alias to name.
    own_code : sequence of str
        Full names of types and functions that the model may use beside those that
        `sklearn_api.artifact.trusted` lists, such as ``handlers.tickets.text.tokenize``. Their
        modules ship in the package of this function.

    Returns
    -------
    callable
        A Lambda handler.

    Raises
    ------
    SettingsError
        A setting is missing or invalid, or `own_code` does not consist of full names.
    """
    _check_names(own_code)
    settings = Settings.from_environ(os.environ)
    log = JsonLog(settings.log_level)

    def load(content: bytearray) -> _Loaded:
        model = load_model(content, settings.max_artifact_bytes, settings.model_form, own_code)
        signature = model.signature
        unknown = set(aliases.values()) - {one.name for one in signature.inputs}
        if unknown:
            log("WARNING", "aliases of fields that the model does not have", fields=sorted(unknown))
        reader = InstanceReader(signature, aliases, most=settings.max_instances)
        return _Loaded(model, reader, Answers(signature))

    current = CurrentModel.from_settings(settings, load, warn=log.not_refreshed)
    try:
        current.get()
    except SklearnApiError as exc:
        # Requests get 503 until there is one.
        log("WARNING", "no model at the start", reason=str(exc))

    def answer(request: Request, log_fields: dict[str, object]) -> Response:
        body = request.json(settings.max_body_bytes)
        (model, reader, answers), pointer = current.get()
        log_fields["model_version"] = pointer.version
        log_fields["form"] = model.form
        batch = reader.read(body)
        log_fields["instances"] = len(batch.instances)
        predictions = _predict(model, batch, log_fields)
        served = {"name": pointer.name, "version": pointer.version}
        if batch.many:
            return Response(200, answers.many(predictions, served), JSON)
        if request.accepts((JSON, TEXT)) == TEXT:
            return Response(200, answers.plain(predictions[0]), TEXT)
        return Response(200, answers.one(predictions[0], served), JSON)

    return Endpoint(settings.model_name, answer, log)


def _check_names(own_code: Sequence[str]) -> None:
    # The characters of a string are strings as well: a comma may be missing in the declaration.
    if isinstance(own_code, str) or not all("." in name for name in own_code):
        raise SettingsError(
            f"own_code is {own_code!r}; it must list full names, such as "
            "('handlers.tickets.text.tokenize',)"
        )


def _predict(model: Model, batch: Batch, log_fields: dict[str, object]) -> list[Prediction]:
    """Return the predictions for instances that fit the signature, all made by one call.

    Raises
    ------
    InvalidInstancesError
        The model fails for some of them, which the error names, but not for others.
    """
    try:
        return model.predict(batch.instances)
    except Exception as exc:
        from sklearn_api.failures import UNFIT, unfit_instances  # not needed by a cold start

        if not isinstance(exc, UNFIT):
            raise
        error = unfit_instances(model, batch.instances, many=batch.many)
        if error is None:
            raise
        log_fields["cause"] = type(exc).__name__
        log_fields["frames"] = frames(exc)
        raise error from exc

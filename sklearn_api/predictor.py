"""The model of an artifact, in the form that serves."""

from sklearn_api.archive import Content
from sklearn_api.compiled import CompiledModel
from sklearn_api.estimated import EstimatedModel
from sklearn_api.header import chosen_form, open_artifact, read_calibration

Predictor = CompiledModel | EstimatedModel
"""Has ``form``, ``compiled`` or ``sklearn``, and ``predict`` for one text."""


def read_model(content: Content, max_bytes: int, wanted: str = "auto") -> Predictor:
    """Check an artifact and return the model in it, in the form that serves.

    Parameters
    ----------
    content, max_bytes
        See `artifact.read_artifact`.
    wanted : str
        `Settings.predictor`.

    Raises
    ------
    ArtifactError
        It is damaged, made for something else, or has no compiled form where only that is wanted.
    """
    archive, header = open_artifact(content, max_bytes)
    if chosen_form(archive, header, wanted) == "compiled":
        return CompiledModel(archive, read_calibration(header))
    from sklearn_api.artifact import read_artifact
    from sklearn_api.deferred import deferring

    with deferring():  # it imports scikit-learn
        model = read_artifact(content, max_bytes)
    return EstimatedModel(model.pipeline, model.calibration)

"""Writes pipelines as artifacts, and reads them back."""

from collections.abc import Sequence
from typing import Any

from sklearn_api.artifact.archive import Archive
from sklearn_api.artifact.construct import construct
from sklearn_api.calibration import Calibration
from sklearn_api.model import Model, Prediction
from sklearn_api.signature import BINARY, STRING, TEXT, Input, Label, Signature
from training.artifact.members import write_archive
from training.artifact.write import Artifact, write_artifact
from training.signature import text_signature

LIMIT = 10_000_000
REVIEW_SIGNATURE = Signature(
    TEXT,
    BINARY,
    (Input("review_text", STRING, nullable=False, example="a good film", objects=True),),
    (Label(0, "Negative Review"), Label(1, "Positive Review")),
)
"""What goes into the classifier of film reviews, and what comes out."""


def read_back(members: dict[str, bytes]) -> Any:
    """Return the pipeline that the members of an artifact describe."""
    return construct(Archive(write_archive(members), LIMIT), LIMIT)


def signature_of(pipeline: Any) -> Signature:
    """Return a signature for a pipeline of texts, or for any other that is only stored."""
    classes = getattr(pipeline, "classes_", None)
    return text_signature([-1, 1] if classes is None else classes.tolist())


def stored(
    pipeline: Any,
    calibration: Calibration | None = None,
    *,
    rows: Sequence[str] = (),
    signature: Signature | None = None,
) -> Artifact:
    """Return a pipeline as an artifact, by default with the signature of `signature_of`."""
    return write_artifact(pipeline, signature or signature_of(pipeline), calibration, rows=rows)


def predict_one(model: Model, instance: Any) -> Prediction:
    """Return the prediction for one instance."""
    (prediction,) = model.predict([instance])
    return prediction

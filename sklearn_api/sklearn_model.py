"""A model that predicts with scikit-learn itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn_api.artifact.archive import Archive
from sklearn_api.artifact.construct import construct
from sklearn_api.artifact.header import check_versions, read_calibration
from sklearn_api.calibration import Calibration
from sklearn_api.model import Prediction


class SklearnModel:
    """A fitted pipeline.

    Parameters
    ----------
    pipeline : estimator
        A fitted text classifier.
    calibration : Calibration or None
        Turns the decision scores of two classes into probabilities.
    """

    form = "sklearn"

    def __init__(self, pipeline: Any, calibration: Calibration | None = None) -> None:
        self.pipeline = pipeline
        self.calibration = calibration

    @classmethod
    def from_artifact(
        cls, archive: Archive, header: Mapping[str, Any], max_bytes: int
    ) -> "SklearnModel":
        """Construct the pipeline of an artifact that `open_artifact` has opened.

        It is the very pipeline that was written: its predictions are equal to the last bit.

        Parameters
        ----------
        archive, header : Archive, mapping
            As `open_artifact` returns them.
        max_bytes : int
            Largest size in memory of its vocabularies.

        Raises
        ------
        ArtifactError
            It was made with another scikit-learn, is damaged, or names a type that is not trusted.
        """
        import sklearn

        check_versions(header, {"scikit-learn": sklearn.__version__})
        calibration = read_calibration(header)
        return cls(construct(archive, max_bytes), calibration)

    def predict(self, text: str) -> Prediction:
        """Return the prediction for one text."""
        return self.predict_all([text])[0]

    def predict_all(self, texts: Sequence[str]) -> list[Prediction]:
        """Return the predictions for one or more texts."""
        pipeline, calibration = self.pipeline, self.calibration
        has_scores = hasattr(pipeline, "decision_function")
        probabilities = None
        if hasattr(pipeline, "predict_proba") and not (has_scores and calibration):
            probabilities = pipeline.predict_proba(texts)
        rows: Any = pipeline.decision_function(texts) if has_scores else probabilities
        predictions = []
        for number, label in enumerate(pipeline.predict(texts)):
            score = _second_or_largest(rows[number])
            probability = None
            if calibration is not None:  # It belongs to two classes.
                probability = calibration.probability(score)
            elif probabilities is not None:
                probability = _second_or_largest(probabilities[number])
            # numpy's `str_` is a `str` as well.
            plain = str(label) if isinstance(label, str) else int(label)
            predictions.append(Prediction(plain, score, probability))
        return predictions


def _second_or_largest(row: Any) -> float:
    """Return the value of the second of two classes, or the largest of several."""
    if row.ndim == 0:
        return float(row)
    return float(row[1] if len(row) == 2 else row.max())

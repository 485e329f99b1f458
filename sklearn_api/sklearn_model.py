"""A model that predicts with scikit-learn itself."""

from collections.abc import Collection, Mapping, Sequence
from itertools import compress
from typing import Any

from sklearn_api.artifact.archive import Archive
from sklearn_api.artifact.construct import construct
from sklearn_api.artifact.header import check_versions, read_calibration
from sklearn_api.calibration import Calibration
from sklearn_api.model import Prediction
from sklearn_api.rows import rows_as_array
from sklearn_api.signature import (
    BINARY,
    CLUSTER,
    MULTICLASS,
    MULTILABEL,
    OUTLIER,
    REGRESSION,
    TEXT,
    Signature,
)


class SklearnModel:
    """A fitted pipeline.

    Parameters
    ----------
    pipeline : estimator
        Predicts from texts, or from the array that `rows_as_array` makes.
    signature : Signature
        What goes into it, and what comes out.
    calibration : Calibration or None
        Turns its decision scores into probabilities.
    """

    form = "sklearn"

    def __init__(
        self, pipeline: Any, signature: Signature, calibration: Calibration | None = None
    ) -> None:
        self.pipeline = pipeline
        self.signature = signature
        self.calibration = calibration
        self._predict = _TASKS[signature.task]

    @classmethod
    def from_artifact(
        cls,
        archive: Archive,
        header: Mapping[str, Any],
        signature: Signature,
        max_bytes: int,
        own_code: Collection[str] = (),
    ) -> "SklearnModel":
        """Construct the pipeline of an artifact that `open_artifact` has opened.

        It is the very pipeline that was written: its predictions are equal to the last bit.

        Parameters
        ----------
        archive, header : Archive, mapping
            As `open_artifact` returns them.
        signature : Signature
            The artifact's.
        max_bytes : int
            Largest size in memory of its vocabularies.
        own_code : collection of str
            Full names of types and functions that it may name beside the trusted ones.

        Raises
        ------
        ArtifactError
            It was made with another scikit-learn, is damaged, or names a type that is not trusted.
        """
        import sklearn

        check_versions(header, {"scikit-learn": sklearn.__version__})
        calibration = read_calibration(header)
        return cls(construct(archive, max_bytes, own_code), signature, calibration)

    def predict(self, instances: Sequence[Any]) -> list[Prediction]:
        """Return the predictions for one or more instances."""
        if self.signature.kind == TEXT:
            return self.predict_rows(instances)
        return self.predict_rows(rows_as_array(instances, self.signature.inputs))

    def predict_rows(self, rows: Any) -> list[Prediction]:
        """Return the predictions for one or more rows.

        Parameters
        ----------
        rows : sequence of str, ndarray, or whatever else the pipeline takes
        """
        return self._predict(self, rows)

    def _classes(self, rows: Any) -> list[Prediction]:
        scores = self._ask("decision_function", rows)
        probabilities = None
        if scores is None or self.calibration is None:
            probabilities = self._ask("predict_proba", rows)
        given = probabilities if scores is None else scores
        singles = (
            [None] * len(rows) if given is None else [_second_or_largest(row) for row in given]
        )
        each: Sequence[Any] = _each(probabilities, len(rows))
        if self.calibration is not None and given is not None:
            # Two classes have one score, or two probabilities.
            two = len(self.signature.labels) == 2
            columns: Any = [[single] for single in singles] if two else given.tolist()
            each = [self.calibration.probabilities(column) for column in columns]
        values = self.pipeline.predict(rows)
        return list(map(Prediction, map(_plain, values), singles, each))

    def _labels(self, rows: Any) -> list[Prediction]:
        each = _each(_of_each_label(self._ask("predict_proba", rows)), len(rows))
        indicators = self.pipeline.predict(rows)
        if hasattr(indicators, "toarray"):
            indicators = indicators.toarray()
        labels = [one.label for one in self.signature.labels]
        values = [list(compress(labels, row)) for row in indicators]
        return [Prediction(value, None, one) for value, one in zip(values, each, strict=True)]

    def _numbers(self, rows: Any) -> list[Prediction]:
        values = self.pipeline.predict(rows)
        return [Prediction(float(value)) for value in values.reshape(len(values))]

    def _clusters(self, rows: Any) -> list[Prediction]:
        each = _each(self._ask("predict_proba", rows), len(rows))
        values = self.pipeline.predict(rows)
        return [
            Prediction(_plain(value), None, one) for value, one in zip(values, each, strict=True)
        ]

    def _outliers(self, rows: Any) -> list[Prediction]:
        scores = _each(self._ask("decision_function", rows), len(rows))
        values = self.pipeline.predict(rows)
        return [Prediction(_plain(value), one) for value, one in zip(values, scores, strict=True)]

    def _ask(self, method: str, rows: Any) -> Any:
        """Return what a method of the pipeline returns, None if it has no such method."""
        return getattr(self.pipeline, method)(rows) if hasattr(self.pipeline, method) else None


_TASKS = {
    BINARY: SklearnModel._classes,
    MULTICLASS: SklearnModel._classes,
    MULTILABEL: SklearnModel._labels,
    REGRESSION: SklearnModel._numbers,
    CLUSTER: SklearnModel._clusters,
    OUTLIER: SklearnModel._outliers,
}


def _plain(value: Any) -> Any:
    """Return a numpy scalar as a value of JSON; numpy's `str_` is a `str` as well."""
    return value.item() if hasattr(value, "item") else value


def _second_or_largest(row: Any) -> float:
    """Return the value of the second of two classes, or the largest of several."""
    if row.ndim == 0:
        return float(row)
    return float(row[1] if len(row) == 2 else row.max())


def _each(values: Any, count: int) -> list[Any]:
    """Return what belongs to each row, None if there are no values."""
    return [None] * count if values is None else values.tolist()


def _of_each_label(probabilities: Any) -> Any:
    """Return the probability that each label applies, shape ``(n, labels)``.

    Some estimators return a list with the probabilities of both values of each label.
    """
    if not isinstance(probabilities, list):
        return probabilities
    import numpy as np

    return np.column_stack([one[:, 1] for one in probabilities])

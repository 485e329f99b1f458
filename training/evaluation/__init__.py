"""Measures a model on rows that it was not fitted on.

`measure.evaluate` asks the pipeline for its predictions (`answers`), and returns the evaluation of
its task, all of which are an `Evaluation` (`base`): `Binary` and `Multiclass` (`classification`),
`Multilabel`, `Regression`, or `Unmeasured` where the right answers are not known.
"""

from training.evaluation.base import Evaluation
from training.evaluation.classification import Binary, Classification, Multiclass
from training.evaluation.measure import evaluate, seen_rows
from training.evaluation.multilabel import Multilabel
from training.evaluation.regression import Regression
from training.evaluation.reliability import Reliability, calibration_error, reliability
from training.evaluation.unmeasured import Unmeasured

__all__ = [
    "Binary",
    "Classification",
    "Evaluation",
    "Multiclass",
    "Multilabel",
    "Regression",
    "Reliability",
    "Unmeasured",
    "calibration_error",
    "evaluate",
    "reliability",
    "seen_rows",
]

"""Refuses an estimator that another version of scikit-learn has pickled."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import sklearn
from sklearn.exceptions import InconsistentVersionWarning

from training.errors import TrainingError


@contextmanager
def same_version(file: str) -> Iterator[None]:
    """Turn the warning about another version into an error while a file is read.

    Such an estimator may load, and predict something else: scikit-learn promises nothing about it.

    Raises
    ------
    TrainingError
        An estimator in the file was fitted with another version of scikit-learn.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        try:
            yield
        except InconsistentVersionWarning as exc:
            raise another_version(file, exc.original_sklearn_version) from exc


def another_version(file: str, version: str) -> TrainingError:
    """Return the error about a file that another version of scikit-learn wrote."""
    return TrainingError(
        f"{file} was written with scikit-learn {version}, but this project runs "
        f"{sklearn.__version__}; what another version reads may predict something else. Fit the "
        f"pipeline again with scikit-learn {sklearn.__version__}"
    )

"""Support vector machines whose arrays do not fit each other."""

import copy
import warnings
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

from sklearn_api.errors import ArtifactError
from tests.helpers.stored import read_back
from training.artifact.dump import dump_pipeline

ROWS = np.random.default_rng(0).normal(size=(30, 3))
PRODUCTS = ROWS @ ROWS.T
LABELS = np.arange(30) % 3

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # `probability` is deprecated
    DENSE = SVC(probability=True).fit(ROWS, LABELS)
SPARSE = SVC(kernel="linear").fit(sparse.csr_matrix(ROWS), LABELS)
REGRESSION = SVR().fit(ROWS, LABELS)
PRECOMPUTED = SVC(kernel="precomputed").fit(PRODUCTS, LABELS)


def round_trip(estimator: Any) -> Any:
    return read_back(dump_pipeline(estimator))


@pytest.mark.parametrize(
    ("estimator", "inputs"),
    [
        (DENSE, ROWS),
        (SPARSE, sparse.csr_matrix(ROWS)),
        (REGRESSION, ROWS),
        (PRECOMPUTED, PRODUCTS),
        (SVR(kernel="poly").fit(sparse.csr_matrix(ROWS), LABELS), ROWS),
        (NuSVC(nu=0.3, kernel="sigmoid").fit(ROWS, LABELS == 1), ROWS),
        (NuSVR().fit(ROWS, LABELS), ROWS),
        (OneClassSVM().fit(ROWS), ROWS),
        (SVC().fit(np.ones((3, 2)), [0, 1, 1]), np.ones((3, 2))),
    ],
    ids=str,
)
def test_fitted_estimators_survive(estimator: Any, inputs: Any) -> None:
    """Estimators of every kind, with dense and sparse vectors, predict the same."""
    assert np.array_equal(round_trip(estimator).predict(inputs), estimator.predict(inputs))


def test_an_estimator_that_is_not_fitted_survives() -> None:
    """It has no vectors to check."""
    assert round_trip(SVC(C=2.0)).get_params() == SVC(C=2.0).get_params()


@pytest.mark.parametrize(
    ("estimator", "changes", "reason"),
    [
        (
            DENSE,
            {"_n_support": np.array([40, -20, 10], "i4")},
            "impossible number of support vectors",
        ),
        (
            DENSE,
            {"_n_support": np.array([99, 99, 99], "i4")},
            "support vectors that does not fit its classes",
        ),
        (
            DENSE,
            {"_n_support": np.array([20, 10], "i4")},
            "support vectors that does not fit its classes",
        ),
        (DENSE, {"_n_support": np.array([30], "i4")}, "impossible number of support vectors"),
        (DENSE, {"_n_support": np.array([10, 10, 10])}, "does not have a valid _n_support"),
        (
            DENSE,
            {"_n_support": np.ma.array([10] * 3, "i4", mask=[True, False, False])},
            "does not have a valid _n_support",
        ),
        (DENSE, {"support_": DENSE.support_[:-1]}, "support vectors that does not fit its classes"),
        (
            DENSE,
            {"support_vectors_": DENSE.support_vectors_[:-1]},
            "support vectors of the wrong number or size",
        ),
        (
            DENSE,
            {"support_vectors_": DENSE.support_vectors_[:, :2]},
            "support vectors of the wrong number or size",
        ),
        (DENSE, {"support_vectors_": ROWS.astype("f4")}, "neither dense nor sparse vectors"),
        (DENSE, {"_dual_coef_": DENSE._dual_coef_[:1]}, "does not have one coefficient"),
        (DENSE, {"_intercept_": DENSE._intercept_[:1]}, "does not have one intercept"),
        (DENSE, {"_probA": DENSE._probA[:1]}, "does not have probabilities"),
        (DENSE, {"_probB": np.empty(0)}, "does not have probabilities"),
        (DENSE, {"_sparse": True}, "neither dense nor sparse vectors"),
        (DENSE, {"_sparse": 1}, "neither dense nor sparse vectors"),
        (DENSE, {"_impl": "epsilon_svr"}, "overrides an attribute of its type"),
        (DENSE, {"kernel": "other"}, "has a kernel that is not one of"),
        (DENSE, {"kernel": "precomputed"}, "support vectors of the wrong number or size"),
        (DENSE, {"kernel": np.log1p}, "has a kernel that is not one of"),
        (
            SPARSE,
            {"_effective_probability": True, "probability": True},
            "does not have probabilities",
        ),
        (SPARSE, {"_sparse": False}, "neither dense nor sparse vectors"),
        (SPARSE, {"kernel": "precomputed"}, "neither dense nor sparse vectors"),
        (
            SPARSE,
            {"support_vectors_": SPARSE.support_vectors_.tocsc()},
            "neither dense nor sparse vectors",
        ),
        (
            SPARSE,
            {"_dual_coef_": sparse.csr_matrix(SPARSE._dual_coef_.shape)},
            "does not have one coefficient",
        ),
        (REGRESSION, {"_n_support": np.array([29, 29, 29], "i4")}, "number of support vectors"),
        (PRECOMPUTED, {"shape_fit_": (2, 2)}, "sample that does not exist"),
        (PRECOMPUTED, {"support_": PRECOMPUTED.support_ - 5}, "sample that does not exist"),
    ],
)
def test_arrays_that_do_not_fit_each_other_are_refused(
    estimator: Any, changes: dict[str, Any], reason: str
) -> None:
    """Each of these would make libsvm read beyond the end of an array."""
    changed = copy.deepcopy(estimator)
    vars(changed).update(changes)
    with pytest.raises(ArtifactError, match=f"a support vector machine .*{reason}"):
        round_trip(changed)


def test_a_classifier_without_classes_is_refused() -> None:
    """Otherwise it would predict with libsvm before anything needs its classes."""
    changed = copy.deepcopy(DENSE)
    del changed.classes_
    with pytest.raises(ArtifactError, match="classes_"):
        round_trip(changed)


def test_a_sparse_matrix_whose_rows_end_before_they_start_is_refused() -> None:
    """It is refused even if no values are stored, in which case scipy does not check."""
    matrix = sparse.csr_matrix((3, 3))
    matrix.indptr = np.array([0, 2, 1, 0], "i4")
    changed = copy.deepcopy(SPARSE)
    changed.support_vectors_ = matrix
    with pytest.raises(ArtifactError, match="ends before it starts"):
        round_trip(changed)

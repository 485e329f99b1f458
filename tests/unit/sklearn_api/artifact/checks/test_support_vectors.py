"""Support vector machines whose arrays do not fit each other."""

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

from sklearn_api.errors import ArtifactError
from tests.helpers.stored import read_back
from training.artifact.dump import dump_pipeline

ROWS = np.random.default_rng(0).normal(size=(30, 3))
PRODUCTS = ROWS @ ROWS.T
LABELS = np.arange(30) % 3

Change = Callable[[Any], dict[str, Any]]


@pytest.fixture(scope="module")
def machines() -> dict[str, Any]:
    """Return fitted support vector machines of the kinds that differ in their arrays."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # `probability` is deprecated
        dense = SVC(probability=True).fit(ROWS, LABELS)
    return {
        "dense": dense,
        "sparse": SVC(kernel="linear").fit(sparse.csr_matrix(ROWS), LABELS),
        "regression": SVR().fit(ROWS, LABELS),
        "precomputed": SVC(kernel="precomputed").fit(PRODUCTS, LABELS),
    }


def round_trip(estimator: Any) -> Any:
    return read_back(dump_pipeline(estimator))


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("dense", ROWS),
        ("sparse", sparse.csr_matrix(ROWS)),
        ("regression", ROWS),
        ("precomputed", PRODUCTS),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_fitted_machines_survive(machines: dict[str, Any], kind: str, inputs: Any) -> None:
    """Machines with dense, sparse or no vectors predict the same."""
    machine = machines[kind]
    assert np.array_equal(round_trip(machine).predict(inputs), machine.predict(inputs))


@pytest.mark.parametrize(
    ("estimator", "fitted_on", "labels", "inputs"),
    [
        (SVR(kernel="poly"), sparse.csr_matrix(ROWS), LABELS, ROWS),
        (NuSVC(nu=0.3, kernel="sigmoid"), ROWS, LABELS == 1, ROWS),
        (NuSVR(), ROWS, LABELS, ROWS),
        (OneClassSVM(), ROWS, None, ROWS),
        (SVC(), np.ones((3, 2)), [0, 1, 1], np.ones((3, 2))),
    ],
    ids=str,
)
def test_fitted_estimators_survive(
    estimator: Any, fitted_on: Any, labels: Any, inputs: Any
) -> None:
    """Estimators of the other types, and unusual ones, predict the same."""
    fitted = clone(estimator).fit(fitted_on, labels)
    assert np.array_equal(round_trip(fitted).predict(inputs), fitted.predict(inputs))


def test_an_estimator_that_is_not_fitted_survives() -> None:
    """An estimator without vectors passes, since it has nothing to check."""
    assert round_trip(SVC(C=2.0)).get_params() == SVC(C=2.0).get_params()


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        (
            "dense",
            lambda _: {"_n_support": np.array([40, -20, 10], "i4")},
            "impossible number of support vectors",
        ),
        (
            "dense",
            lambda _: {"_n_support": np.array([99, 99, 99], "i4")},
            "support vectors that does not fit its classes",
        ),
        (
            "dense",
            lambda _: {"_n_support": np.array([20, 10], "i4")},
            "support vectors that does not fit its classes",
        ),
        (
            "dense",
            lambda _: {"_n_support": np.array([30], "i4")},
            "impossible number of support vectors",
        ),
        (
            "dense",
            lambda _: {"_n_support": np.array([10, 10, 10])},
            "does not have a valid _n_support",
        ),
        (
            "dense",
            lambda _: {"_n_support": np.ma.array([10] * 3, "i4", mask=[True, False, False])},
            "does not have a valid _n_support",
        ),
        (
            "dense",
            lambda fitted: {"support_": fitted.support_[:-1]},
            "support vectors that does not fit its classes",
        ),
        (
            "dense",
            lambda fitted: {"support_vectors_": fitted.support_vectors_[:-1]},
            "support vectors of the wrong number or size",
        ),
        (
            "dense",
            lambda fitted: {"support_vectors_": fitted.support_vectors_[:, :2]},
            "support vectors of the wrong number or size",
        ),
        (
            "dense",
            lambda _: {"support_vectors_": ROWS.astype("f4")},
            "neither dense nor sparse vectors",
        ),
        (
            "dense",
            lambda fitted: {"_dual_coef_": fitted._dual_coef_[:1]},
            "does not have one coefficient",
        ),
        (
            "dense",
            lambda fitted: {"_intercept_": fitted._intercept_[:1]},
            "does not have one intercept",
        ),
        ("dense", lambda fitted: {"_probA": fitted._probA[:1]}, "does not have probabilities"),
        ("dense", lambda _: {"_probB": np.empty(0)}, "does not have probabilities"),
        ("dense", lambda _: {"_sparse": True}, "neither dense nor sparse vectors"),
        ("dense", lambda _: {"_sparse": 1}, "neither dense nor sparse vectors"),
        ("dense", lambda _: {"_impl": "epsilon_svr"}, "overrides an attribute of its type"),
        ("dense", lambda _: {"kernel": "other"}, "has a kernel that is not one of"),
        (
            "dense",
            lambda _: {"kernel": "precomputed"},
            "support vectors of the wrong number or size",
        ),
        ("dense", lambda _: {"kernel": np.log1p}, "has a kernel that is not one of"),
        (
            "sparse",
            lambda _: {"_effective_probability": True, "probability": True},
            "does not have probabilities",
        ),
        ("sparse", lambda _: {"_sparse": False}, "neither dense nor sparse vectors"),
        ("sparse", lambda _: {"kernel": "precomputed"}, "neither dense nor sparse vectors"),
        (
            "sparse",
            lambda fitted: {"support_vectors_": fitted.support_vectors_.tocsc()},
            "neither dense nor sparse vectors",
        ),
        (
            "sparse",
            lambda fitted: {"_dual_coef_": sparse.csr_matrix(fitted._dual_coef_.shape)},
            "does not have one coefficient",
        ),
        (
            "regression",
            lambda _: {"_n_support": np.array([29, 29, 29], "i4")},
            "number of support vectors",
        ),
        ("precomputed", lambda _: {"shape_fit_": (2, 2)}, "sample that does not exist"),
        (
            "precomputed",
            lambda fitted: {"support_": fitted.support_ - 5},
            "sample that does not exist",
        ),
    ],
)
def test_arrays_that_do_not_fit_each_other_are_refused(
    machines: dict[str, Any], kind: str, change: Change, reason: str
) -> None:
    """Each of these would make libsvm read beyond the end of an array."""
    changed = copy.deepcopy(machines[kind])
    vars(changed).update(change(changed))
    with pytest.raises(ArtifactError, match=f"a support vector machine .*{reason}"):
        round_trip(changed)


def test_a_classifier_without_classes_is_refused(machines: dict[str, Any]) -> None:
    """A classifier must have classes: it would predict with libsvm before it needs them."""
    changed = copy.deepcopy(machines["dense"])
    del changed.classes_
    with pytest.raises(ArtifactError, match="classes_"):
        round_trip(changed)


def test_a_sparse_matrix_whose_rows_end_before_they_start_is_refused(
    machines: dict[str, Any],
) -> None:
    """It is refused even if it stores no values, in which case scipy does not check."""
    matrix = sparse.csr_matrix((3, 3))
    matrix.indptr = np.array([0, 2, 1, 0], "i4")
    changed = copy.deepcopy(machines["sparse"])
    changed.support_vectors_ = matrix
    with pytest.raises(ArtifactError, match="ends before it starts"):
        round_trip(changed)

"""Checks scikit-learn's support vector machines before anything is predicted with them.

libsvm takes the length of each array from another array, without comparing the two: if they do not
fit each other, it reads beyond the end. scikit-learn checks one of them, and only if the vectors
are dense (CVE-2020-28975).
"""

from typing import Any

from sklearn_api.errors import ArtifactError

_KERNELS = ("linear", "poly", "precomputed", "rbf", "sigmoid")


def check_support_vectors(estimator: Any) -> None:
    """Check that the arrays of an estimator that uses libsvm fit each other.

    Parameters
    ----------
    estimator : estimator
        With its whole state. It passes if it is not fitted, or is linear and has no vectors.

    Raises
    ------
    ArtifactError
        The arrays do not fit each other, or the kernel is a function.
    """
    state = vars(estimator)
    if "support_vectors_" not in state:
        return
    if "_impl" in state or "_sparse_kernels" in state:
        raise _damaged("overrides an attribute of its type")
    kernel, is_sparse = state.get("kernel"), state.get("_sparse")
    if not isinstance(kernel, str) or kernel not in _KERNELS:
        raise _damaged(f"has a kernel that is not one of {', '.join(_KERNELS)}")
    if not isinstance(is_sparse, bool) or (is_sparse and kernel == "precomputed"):
        raise _damaged("has neither dense nor sparse vectors")

    support, counts = _numbers(state, "support_", "int32"), _numbers(state, "_n_support", "int32")
    rows = len(support)
    if len(counts) < 2 or counts.min() < 0:
        raise _damaged("has an impossible number of support vectors")
    if any(base.__name__.endswith("SVC") for base in type(estimator).__mro__):
        if len(counts) != len(state["classes_"]) or counts.sum(dtype="int64") != rows:
            raise _damaged("has a number of support vectors that does not fit its classes")
    elif len(counts) != 2:
        raise _damaged("has a number of support vectors that does not fit its type")
    pairs = len(counts) * (len(counts) - 1) // 2
    if len(_numbers(state, "_intercept_", "float64")) != pairs:
        raise _damaged("does not have one intercept for each pair of classes")
    _check_vectors(state, rows, is_sparse)
    _check_coefficients(state["_dual_coef_"], (len(counts) - 1, rows), is_sparse)
    if kernel == "precomputed":
        samples = state["shape_fit_"][0]  # scikit-learn compares the number of columns with it
        if not isinstance(samples, int) or (support < 0).any() or (support >= samples).any():
            raise _damaged("refers to a sample that does not exist")
    lengths = [len(_numbers(state, name, "float64")) for name in ("_probA", "_probB")]
    expected = state.get("_effective_probability", state.get("probability"))
    if lengths != [pairs] * 2 and (expected or lengths != [0, 0]):
        raise _damaged("does not have probabilities for each pair of classes")


def _check_vectors(state: dict[str, Any], rows: int, is_sparse: bool) -> None:
    vectors = state["support_vectors_"]
    if not _is_matrix(vectors, is_sparse):
        raise _damaged("has neither dense nor sparse vectors")
    shape = (0, 0) if state["kernel"] == "precomputed" else (rows, state.get("n_features_in_"))
    if vectors.shape != shape:
        raise _damaged("has support vectors of the wrong number or size")


def _check_coefficients(coefficients: Any, shape: tuple[int, int], is_sparse: bool) -> None:
    if (
        not _is_matrix(coefficients, is_sparse)
        or coefficients.shape != shape
        or (is_sparse and len(coefficients.data) != shape[0] * shape[1])
    ):
        raise _damaged("does not have one coefficient for each support vector")


def _is_matrix(matrix: Any, is_sparse: bool) -> bool:
    import numpy as np
    from scipy.sparse import issparse

    # libsvm would read the values behind the mask of a masked array.
    kind = issparse(matrix) and matrix.format == "csr" if is_sparse else type(matrix) is np.ndarray
    return bool(kind and matrix.dtype == "float64")


def _numbers(state: dict[str, Any], name: str, dtype: str) -> Any:
    import numpy as np

    array = state.get(name)
    if type(array) is not np.ndarray or array.dtype != dtype or array.ndim != 1:
        raise _damaged(f"does not have a valid {name}")
    return array


def _damaged(reason: str) -> ArtifactError:
    return ArtifactError(f"the artifact's pipeline is damaged: a support vector machine {reason}")

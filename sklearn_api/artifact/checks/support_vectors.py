"""Support vector machines of scikit-learn, checked before anything is predicted with them.

libsvm takes the length of each array from another one, and does not compare them: what does not fit
is read beyond its end. scikit-learn looks at one of them, where vectors are dense (CVE-2020-28975).
"""

from typing import Any

from sklearn_api.errors import ArtifactError

_KERNELS = ("linear", "poly", "precomputed", "rbf", "sigmoid")


def check_support_vectors(estimator: Any) -> None:
    """Check the arrays of an estimator of libsvm against each other.

    Parameters
    ----------
    estimator : estimator
        With its whole state; one that is not fitted, or linear and of no vectors, passes.

    Raises
    ------
    ArtifactError
        They do not fit each other, or its kernel is a function.
    """
    state = vars(estimator)
    if "support_vectors_" not in state:
        return
    if "_impl" in state or "_sparse_kernels" in state:  # They belong to the type.
        raise _damaged("is of another kind than its type")
    kernel, is_sparse = state.get("kernel"), state.get("_sparse")
    if not isinstance(kernel, str) or kernel not in _KERNELS:
        raise _damaged(f"has none of the kernels {', '.join(_KERNELS)}")
    if not isinstance(is_sparse, bool) or (is_sparse and kernel == "precomputed"):
        raise _damaged("has neither dense vectors nor sparse ones")

    support, counts = _numbers(state, "support_", "int32"), _numbers(state, "_n_support", "int32")
    rows = len(support)
    if len(counts) < 2 or counts.min() < 0:
        raise _damaged("has an impossible number of vectors")
    if type(estimator).__name__.endswith("SVC"):
        if len(counts) != len(state["classes_"]) or counts.sum(dtype="int64") != rows:
            raise _damaged("has another number of vectors for its classes")
    elif len(counts) != 2:
        raise _damaged("has another number of vectors")
    pairs = len(counts) * (len(counts) - 1) // 2
    if len(_numbers(state, "_intercept_", "float64")) != pairs:
        raise _damaged("has no intercept for each pair of classes")
    _check_vectors(state, rows, is_sparse)
    _check_coefficients(state["_dual_coef_"], (len(counts) - 1, rows), is_sparse)
    if kernel == "precomputed":
        samples = state["shape_fit_"][0]  # to which scikit-learn compares the columns it is given
        if not isinstance(samples, int) or (support < 0).any() or (support >= samples).any():
            raise _damaged("asks for a sample that there is not")
    lengths = [len(_numbers(state, name, "float64")) for name in ("_probA", "_probB")]
    expected = state.get("_effective_probability", state.get("probability"))
    if lengths != [pairs] * 2 and (expected or lengths != [0, 0]):
        raise _damaged("has no probabilities for each pair of classes")


def _check_vectors(state: dict[str, Any], rows: int, is_sparse: bool) -> None:
    vectors = state["support_vectors_"]
    if not _is_matrix(vectors, is_sparse):
        raise _damaged("has neither dense vectors nor sparse ones")
    shape = (0, 0) if state["kernel"] == "precomputed" else (rows, state.get("n_features_in_"))
    if vectors.shape != shape:
        raise _damaged("has another number of vectors or features")


def _check_coefficients(coefficients: Any, shape: tuple[int, int], is_sparse: bool) -> None:
    if (
        not _is_matrix(coefficients, is_sparse)
        or coefficients.shape != shape
        or (is_sparse and len(coefficients.data) != shape[0] * shape[1])
    ):
        raise _damaged("has no coefficient for each vector")


def _is_matrix(matrix: Any, is_sparse: bool) -> bool:
    import numpy as np
    from scipy.sparse import issparse

    # Of an array with a mask, libsvm would see what is behind the mask.
    kind = issparse(matrix) and matrix.format == "csr" if is_sparse else type(matrix) is np.ndarray
    return bool(kind and matrix.dtype == "float64")


def _numbers(state: dict[str, Any], name: str, dtype: str) -> Any:
    import numpy as np

    array = state.get(name)
    if type(array) is not np.ndarray or array.dtype != dtype or array.ndim != 1:
        raise _damaged(f"has no {name}")
    return array


def _damaged(reason: str) -> ArtifactError:
    return ArtifactError(f"the artifact's pipeline is damaged: a support vector machine {reason}")

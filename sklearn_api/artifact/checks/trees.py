"""Checks scikit-learn's trees and neighbours before anything is predicted with them.

Their compiled code follows the indices of children, features and classes without comparing them
with the lengths of the arrays. A wrong index would crash the process or send it into an endless
loop, and no check of types prevents that
(https://github.com/scikit-learn/scikit-learn/pull/34558).
"""

from collections.abc import Callable, Mapping
from typing import Any

from sklearn_api.artifact.checks.support_vectors import check_support_vectors
from sklearn_api.errors import ArtifactError

_MAX_CLASSES = 100_000
_LEAF = -1


def construct_tree(tree_type: Any, arguments: object, state: Any) -> Any:
    """Construct a `sklearn.tree._tree.Tree`.

    Parameters
    ----------
    tree_type : type
        `sklearn.tree._tree.Tree`.
    arguments : tuple
        The number of features, the number of classes of each output (an array), and the number of
        outputs.
    state : dict
        ``max_depth``, ``node_count``, ``nodes`` and ``values``.

    Raises
    ------
    ArtifactError
        The arguments and the state do not fit each other.
    """
    import numpy as np

    if not isinstance(arguments, tuple) or len(arguments) != 3 or not isinstance(state, dict):
        raise _damaged("does not have three arguments and a state")
    features, classes, outputs = arguments
    nodes: Any = state.get("nodes")
    values: Any = state.get("values")
    if not all(isinstance(one, np.ndarray) for one in (classes, nodes, values)):
        raise _damaged("does not have arrays of classes, nodes and values")
    if classes.dtype != np.intp or classes.shape != (outputs,):
        raise _damaged("does not have a number of classes for each output")
    if not 1 <= classes.min(initial=1) <= classes.max(initial=1) <= _MAX_CLASSES:
        raise _damaged("has an impossible number of classes")
    if nodes.ndim != 1 or not len(nodes) or state.get("node_count") != len(nodes):
        raise _damaged("does not have as many nodes as it says")
    tree = tree_type(features, classes, outputs)
    tree.__setstate__(state)  # This checks the types and shapes of the arrays.
    # So the nodes have the fields that scikit-learn gives them.
    inner = nodes["left_child"] != _LEAF
    _check_indices(
        len(nodes), inner, nodes["left_child"], nodes["right_child"], nodes["feature"], features
    )
    return tree


def _check_indices(
    count: int, inner: Any, left: Any, right: Any, feature: Any, features: int
) -> None:
    """Raise if an inner node leads back, out of the tree, or to a feature that does not exist."""
    import numpy as np

    parents = np.flatnonzero(inner)
    for children in (left[inner], right[inner]):
        # If children come after their parents, following them ends at a leaf.
        if (children <= parents).any() or (children >= count).any():
            raise _damaged("has a node whose child is not one of the nodes after it")
    used = feature[inner]
    if (used < 0).any() or (used >= features).any():
        raise _damaged("splits on a feature that does not exist")


def construct_search_tree(tree_type: Any, state: Any) -> Any:
    """Construct a `KDTree` or a `BallTree`.

    Parameters
    ----------
    tree_type : type
        Which of the two.
    state : tuple
        Its state, as its `__getstate__` returns it: data, order of the rows, nodes, their bounds,
        the size of a leaf, the numbers of levels and of nodes, four counters, metric and weights.

    Raises
    ------
    ArtifactError
        The parts of the state do not fit each other.
    """
    import numpy as np

    if not isinstance(state, tuple) or len(state) != 13:
        raise _damaged("does not have the state of a search tree")
    data, order, nodes, bounds, leaf, levels, count = state[:7]
    metric, weights = state[11:]
    if not all(isinstance(one, np.ndarray) for one in (data, order, nodes, bounds)):
        raise _damaged("does not have arrays of data, rows, nodes and bounds")
    if not all(isinstance(one, int) for one in state[4:11]) or not 1 <= levels <= 40 or leaf < 1:
        raise _damaged("has an impossible size")
    if type(metric).__module__ != "sklearn.metrics._dist_metrics":
        raise _damaged("does not have a distance metric")
    rows, features = data.shape
    if not np.array_equal(np.sort(order), np.arange(rows)):
        raise _damaged("does not contain each of its rows exactly once")
    if count != 2**levels - 1 or nodes.shape != (count,) or bounds.shape[1:] != (count, features):
        raise _damaged("does not have as many nodes as it says")
    if bounds.shape[0] != (2 if tree_type.__name__ == "KDTree" else 1):
        raise _damaged("does not have the bounds of its nodes")
    start, end = nodes["idx_start"], nodes["idx_end"]
    if (start < 0).any() or (start > end).any() or (end > rows).any():
        raise _damaged("has a node with rows that do not exist")
    if (nodes["is_leaf"][count // 2 :] == 0).any():  # The children of n are 2n + 1 and 2n + 2.
        raise _damaged("has a node whose children do not exist")
    if weights is not None and getattr(weights, "shape", None) != (rows,):
        raise _damaged("does not have a weight for each row")
    tree = tree_type.__new__(tree_type)
    tree.__setstate__(state)
    return tree


def check_estimator(estimator: Any) -> None:
    """Check an estimator whose compiled code follows indices without checking them.

    Parameters
    ----------
    estimator : estimator
        With its whole state. It passes if neither its type nor a base of it needs a check.

    Raises
    ------
    ArtifactError
        The parts of its state do not fit each other.
    """
    modules = dict.fromkeys(base.__module__ for base in type(estimator).__mro__)
    for module in modules.keys() & _CHECKS.keys():
        _CHECKS[module](estimator)


def _check_single(estimator: Any) -> None:
    from sklearn.tree._tree import Tree

    state = vars(estimator)
    if "tree_" in state and (
        type(state["tree_"]) is not Tree or state["tree_"].n_features != state.get("n_features_in_")
    ):
        raise _damaged("was fitted on a different number of features than its estimator")


def _check_members(estimator: Any) -> None:
    """Raise unless every tree of a forest or of gradient boosting uses the same features."""
    import numpy as np

    state = vars(estimator)
    if "estimators_" not in state:
        return
    members = np.asarray(state["estimators_"], dtype=object)
    for member in members.flat:
        if not isinstance(getattr(member, "n_features_in_", None), int) or (
            "tree_" not in vars(member) or member.n_features_in_ != state.get("n_features_in_")
        ):
            raise _damaged("was fitted on a different number of features than its ensemble")


def _check_boosting(estimator: Any) -> None:
    _check_members(estimator)
    state = vars(estimator)
    members = state.get("estimators_")
    if members is not None and (
        getattr(members, "ndim", 0) != 2 or members.shape[1] != state.get("n_trees_per_iteration_")
    ):
        raise _damaged("belongs to an ensemble with a different number of trees per iteration")


def _check_isolation(estimator: Any) -> None:
    state = vars(estimator)
    members, subsets = state.get("estimators_"), state.get("estimators_features_")
    if members is None:
        return
    if not isinstance(members, list) or not isinstance(subsets, list):
        raise _damaged("does not have a subset of the features")
    if len(members) != len(subsets):
        raise _damaged("does not have a subset of the features")
    for member, subset in zip(members, subsets, strict=True):
        if getattr(member, "n_features_in_", None) != len(subset):
            raise _damaged("was fitted on a different number of features than its ensemble")


def _check_predictor(predictor: Any) -> None:
    """Check a tree of histogram gradient boosting, except for its features: see the ensemble."""
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

    state = vars(predictor)
    nodes, bitsets = state.get("nodes"), state.get("raw_left_cat_bitsets")
    if getattr(nodes, "dtype", None) != PREDICTOR_RECORD_DTYPE or not len(nodes):
        raise _damaged("has no nodes")
    inner = nodes["is_leaf"] == 0
    left, right = nodes["left"].astype("i8"), nodes["right"].astype("i8")
    _check_indices(len(nodes), inner, left, right, nodes["feature_idx"], 2**31)
    by_category = nodes["bitset_idx"][inner & (nodes["is_categorical"] != 0)]
    if getattr(bitsets, "ndim", 0) != 2 or (by_category >= len(bitsets)).any():
        raise _damaged("splits on categories that do not exist")
    if bitsets.shape[1] != 8:
        raise _damaged("has sets of categories with the wrong size")


def _check_histograms(estimator: Any) -> None:
    state = vars(estimator)
    for stage in state.get("_predictors", ()):
        for predictor in stage:
            nodes = predictor.nodes
            used = nodes["feature_idx"][nodes["is_leaf"] == 0]
            if (used >= state.get("_n_features", 0)).any():
                raise _damaged("splits on a feature that does not exist")


def _check_labels(estimator: Any) -> None:
    """Raise unless each label of a neighbours classifier is the index of one of its classes."""
    import numpy as np

    state = vars(estimator)
    if "_y" not in state:
        return
    labels = state["_y"]
    if type(labels) is not np.ndarray or labels.ndim > 2:
        raise _damaged("does not have valid labels", "a neighbours classifier")
    if labels.ndim == 2:  # The labels of several outputs are looked up by checked indexing.
        return
    if len(labels) != state["_fit_X"].shape[0]:
        raise _damaged("does not have a label for each row", "a neighbours classifier")
    if (labels < 0).any() or (labels >= len(state["classes_"])).any():
        raise _damaged("has a label that is not one of its classes", "a neighbours classifier")


_CHECKS: Mapping[str, Callable[[Any], None]] = {
    "sklearn.tree._classes": _check_single,
    "sklearn.ensemble._forest": _check_members,
    "sklearn.ensemble._gb": _check_boosting,
    "sklearn.ensemble._iforest": _check_isolation,
    "sklearn.ensemble._hist_gradient_boosting.predictor": _check_predictor,
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting": _check_histograms,
    "sklearn.neighbors._classification": _check_labels,
    "sklearn.svm._classes": check_support_vectors,
}


def _damaged(reason: str, subject: str = "a tree") -> ArtifactError:
    return ArtifactError(f"the artifact's pipeline is damaged: {subject} {reason}")

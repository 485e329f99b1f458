"""Trees and neighbours with indices that lead out of their arrays, or in circles."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.neighbors import KDTree, KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from sklearn_api.artifact.checks.trees import construct_search_tree
from sklearn_api.artifact.construct import SCHEMA
from sklearn_api.errors import ArtifactError
from tests.helpers.stored import read_back
from training.artifact.dump import dump_pipeline

ROWS = np.random.default_rng(0).normal(size=(40, 3))
LABELS = np.arange(40) % 2

Members = dict[str, bytes]


def with_nodes(members: Members, change: Callable[[Any], None]) -> Members:
    """Return members with every array of nodes changed."""
    changed = dict(members)
    found = 0
    for name, content in members.items():
        if name.endswith(".npy"):
            array = np.load(io.BytesIO(content), allow_pickle=False)
            if array.dtype.names:
                change(array)
                buffer = io.BytesIO()
                np.save(buffer, array)
                changed[name] = buffer.getvalue()
                found += 1
    assert found
    return changed


@pytest.fixture(scope="module")
def dumps() -> dict[str, Members]:
    """Return the members of a forest and of histogram gradient boosting."""
    forest = RandomForestClassifier(2, random_state=0)
    boosted = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=2)
    return {
        "forest": dump_pipeline(forest.fit(ROWS, LABELS)),
        "boosted": dump_pipeline(boosted.fit(ROWS, LABELS)),
    }


def put(field: str, value: int) -> Callable[[Any], None]:
    def change(nodes: Any) -> None:
        nodes[field][0] = value

    return change


@pytest.mark.parametrize(
    ("kind", "field", "value", "reason"),
    [
        ("forest", "left_child", 10**9, "child is not one of the nodes after it"),
        ("forest", "right_child", 0, "child is not one of the nodes after it"),  # an endless loop
        ("forest", "right_child", -5, "child is not one of the nodes after it"),
        ("forest", "feature", 3, "feature that does not exist"),
        ("forest", "feature", -2, "feature that does not exist"),
        ("boosted", "left", 2**32 - 1, "child is not one of the nodes after it"),
        ("boosted", "right", 0, "child is not one of the nodes after it"),
        ("boosted", "feature_idx", 3, "feature that does not exist"),
        ("boosted", "is_categorical", 1, "categories that do not exist"),
    ],
)
def test_a_node_with_an_invalid_index_is_refused(
    dumps: dict[str, Members], kind: str, field: str, value: int, reason: str
) -> None:
    """No prediction follows an index out of its array, or in circles."""
    read_back(dumps[kind])
    with pytest.raises(ArtifactError, match=reason):
        read_back(with_nodes(dumps[kind], put(field, value)))


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(),
        RandomForestClassifier(2),
        GradientBoostingClassifier(n_estimators=2),
        HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=2),
        IsolationForest(n_estimators=2),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_an_estimator_has_the_features_of_its_trees(estimator: Any) -> None:
    """An estimator accepts only the number of features that its trees were fitted on."""
    members = dump_pipeline(estimator.fit(ROWS, LABELS))
    for name in (b'"n_features_in_":3', b'"_n_features":3'):
        schema = members[SCHEMA]
        if name in schema:
            # Only the estimator's own: it comes last in its state.
            at = schema.rindex(name)
            members[SCHEMA] = schema[: at + len(name) - 1] + b"1" + schema[at + len(name) :]
    with pytest.raises(ArtifactError, match=r"features|columns|feature that does not exist"):
        read_back(members)


def test_a_search_tree_with_an_invalid_state_is_refused() -> None:
    """Each part of the state of a `KDTree` must fit the others."""
    state = KDTree(ROWS, leaf_size=5).__getstate__()
    assert construct_search_tree(KDTree, state).query(ROWS[:1])[1].tolist() == [[0]]
    nodes = state[2].copy()
    nodes["idx_end"][0] = 1000
    leaves = state[2].copy()
    leaves["is_leaf"] = 0
    for number, wrong in (
        (1, state[1] + 1),
        (1, np.zeros_like(state[1])),
        (2, nodes),
        (2, leaves),
        (3, state[3][:1]),
        (5, 60),
        (6, 1),
        (11, "metric"),
        (12, np.ones(1)),
    ):
        changed = (*state[:number], wrong, *state[number + 1 :])
        with pytest.raises(ArtifactError, match=r"a tree has|a tree does"):
            construct_search_tree(KDTree, changed)


def test_neighbours_with_an_invalid_search_tree_are_refused() -> None:
    """A search tree inside an estimator is checked as well."""
    members = dump_pipeline(KNeighborsClassifier(algorithm="kd_tree").fit(ROWS, LABELS))
    read_back(members)
    with pytest.raises(ArtifactError, match="rows that do not exist"):
        read_back(with_nodes(members, put("idx_end", 10**6)))


@pytest.mark.parametrize("kind", [KNeighborsClassifier, RadiusNeighborsClassifier])
@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (LABELS + 1, "has a label that is not one of its classes"),
        (LABELS - 1, "has a label that is not one of its classes"),
        (LABELS[:-1], "does not have a label for each row"),
        (np.ma.masked_array(LABELS + 1, [True] * 40), "does not have valid labels"),
    ],
)
def test_labels_of_neighbours_must_be_classes(kind: Any, labels: Any, reason: str) -> None:
    """Votes for a class that does not exist would be written beyond the end of an array."""
    fitted = kind(algorithm="brute").fit(ROWS, LABELS)
    assert read_back(dump_pipeline(fitted)).predict(ROWS).tolist() == fitted.predict(ROWS).tolist()
    several = kind(algorithm="brute").fit(ROWS, np.column_stack([LABELS, LABELS]))
    assert np.array_equal(read_back(dump_pipeline(several)).predict(ROWS), several.predict(ROWS))
    fitted._y = labels
    with pytest.raises(ArtifactError, match=f"a neighbours classifier {reason}"):
        read_back(dump_pipeline(fitted))

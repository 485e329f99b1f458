"""Splines that somebody has tampered with are refused before scipy evaluates them."""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import SplineTransformer

from sklearn_api.artifact.checks.splines import MAX_DEGREE
from sklearn_api.artifact.construct import SCHEMA
from sklearn_api.errors import ArtifactError
from tests.helpers.stored import read_back
from training.artifact.dump import dump_pipeline

ROWS = np.random.default_rng(0).normal(size=(30, 2))
BEYOND = np.vstack([ROWS, ROWS * 5.0])  # rows inside and outside of the knots

Members = dict[str, bytes]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("degree", [1, 3, np.int64(2)], ids=repr)
@pytest.mark.parametrize("extrapolation", ["constant", "linear", "continue", "periodic"])
def test_a_spline_survives_to_the_last_bit(extrapolation: str, degree: int, sparse: bool) -> None:
    """It gives the same values inside and outside of its knots; its own dump is the same."""
    before = SplineTransformer(
        degree=degree, extrapolation=extrapolation, sparse_output=sparse, n_knots=6
    ).fit(ROWS)
    members = dump_pipeline(before)
    after = read_back(members)
    assert dump_pipeline(after) == members
    expected, found = before.transform(BEYOND), after.transform(BEYOND)
    if sparse:
        expected, found = expected.toarray(), found.toarray()
    assert np.array_equal(expected, found)


def test_splines_without_extrapolation_and_with_a_degree_of_zero_survive() -> None:
    """A step function is a spline, too, and values outside of the knots still raise an error."""
    before = SplineTransformer(degree=0, extrapolation="error").fit(ROWS)
    after = read_back(dump_pipeline(before))
    assert np.array_equal(before.transform(ROWS), after.transform(ROWS))
    with pytest.raises(ValueError, match="beyond the limits of the knots"):
        after.transform(BEYOND)


def test_splines_share_no_array() -> None:
    """Nothing that changes the array of one object changes a spline that was checked."""
    first, second = read_back(dump_pipeline(SplineTransformer().fit(ROWS))).bsplines_
    assert not np.shares_memory(first.c, second.c)


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array), allow_pickle=False)
    return buffer.getvalue()


def with_array(part: str, change: Callable[[Any], Any]) -> Callable[[Members, Any], None]:
    """Return a change of the array that the first spline names as its knots or coefficients."""

    def changed(members: Members, spline: Any) -> None:
        members[spline[part]] = npy(change(np.load(io.BytesIO(members[spline[part]]))))

    return changed


def with_value(name: str, value: Any) -> Callable[[Members, Any], None]:
    def changed(members: Members, spline: Any) -> None:
        spline[name] = value

    return changed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (with_value("degree", 4), "does not fit its knots"),
        (with_value("degree", 2), "does not fit its knots"),
        (with_value("degree", -1), "a degree that is not between 0 and 100"),
        (with_value("degree", MAX_DEGREE + 1), "a degree that is not between 0 and 100"),
        (with_value("degree", True), "a degree that is not between 0 and 100"),
        (with_value("degree", 3.0), "a degree that is not between 0 and 100"),
        (with_value("degree", 2**70), "a degree that is not between 0 and 100"),
        (with_value("extrapolate", "periodic"), "does not say whether it extrapolates"),
        (with_value("extrapolate", 1), "does not say whether it extrapolates"),
        (with_array("coefficients", lambda c: c[:-1]), "does not fit its knots"),
        (with_array("coefficients", lambda c: c[:, :0]), "does not fit its knots"),
        (with_array("coefficients", lambda c: np.tile(c, 9)), "does not fit its knots"),
        (with_array("coefficients", lambda c: c[:, 0]), "of the wrong shape"),
        (with_array("coefficients", lambda c: c.astype(complex)), "not 64-bit floats"),
        (with_array("coefficients", lambda c: c.astype(np.float32)), "not 64-bit floats"),
        (with_array("knots", lambda t: t[:-1]), "does not fit its knots"),
        (with_array("knots", lambda t: t[None]), "of the wrong shape"),
        (with_array("knots", lambda t: t.astype(">f8").astype("M8[s]")), "not 64-bit floats"),
        (with_array("knots", lambda t: t[::-1]), "non-decreasing"),
        (with_array("knots", lambda t: t * 0), "two internal knots"),
        (with_array("knots", lambda t: np.append(t[:-1], np.inf)), "nans or infs"),
        (with_array("knots", lambda t: np.append(t[:-1], np.nan)), "nans or infs"),
    ],
)
def test_a_spline_that_does_not_fit_is_refused(
    change: Callable[[Members, Any], None], reason: str
) -> None:
    """Knots, coefficients and degree must fit each other, as scipy assumes."""
    members = dump_pipeline(SplineTransformer(degree=3).fit(ROWS))
    schema = json.loads(members[SCHEMA])
    change(members, schema["state"]["items"]["bsplines_"]["items"][0])
    members[SCHEMA] = json.dumps(schema).encode()
    with pytest.raises(ArtifactError, match=f"a spline .*{reason}"):
        read_back(members)

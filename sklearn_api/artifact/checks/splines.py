"""Constructs scipy's B-splines, which `SplineTransformer` evaluates.

scipy's compiled code follows the knots and coefficients without comparing their lengths. The
constructor of `BSpline` compares them; `SplineTransformer` itself, and reading a pickle, bypass it.
The arrays come from files of their own: if another object of the pipeline contained them as well,
it could change them after the check.
"""

from typing import Any

from sklearn_api.errors import ArtifactError

MAX_DEGREE = 100  # the time to evaluate a spline at one point grows with its square


def construct_spline(knots: Any, coefficients: Any, degree: Any, extrapolate: Any) -> Any:
    """Construct a `scipy.interpolate.BSpline`.

    Parameters
    ----------
    knots : ndarray of shape (n_knots,)
        In ascending order.
    coefficients : ndarray of shape (n_knots - degree - 1, n_splines)
        One column for each output.
    degree : int
        Up to `MAX_DEGREE`.
    extrapolate : bool
        Whether it has values outside its knots.

    Raises
    ------
    ArtifactError
        The arguments do not fit each other.
    """
    if type(degree) is not int or not 0 <= degree <= MAX_DEGREE:
        raise _damaged(f"has a degree that is not between 0 and {MAX_DEGREE}")
    if not isinstance(extrapolate, bool):
        raise _damaged("does not say whether it extrapolates")
    if knots.dtype != "float64" or coefficients.dtype != "float64":
        raise _damaged("has knots or coefficients that are not 64-bit floats")
    if knots.ndim != 1 or coefficients.ndim != 2:
        raise _damaged("has knots or coefficients of the wrong shape")
    rows, columns = coefficients.shape
    if rows != len(knots) - degree - 1 or not 1 <= columns <= rows:
        raise _damaged("has a number of coefficients that does not fit its knots")
    from scipy.interpolate import BSpline

    try:
        return BSpline(knots, coefficients, degree, extrapolate=extrapolate)
    except ValueError as exc:
        raise _damaged(f"is not valid: {exc}") from exc


def _damaged(reason: str) -> ArtifactError:
    return ArtifactError(f"the artifact's pipeline is damaged: a spline {reason}")

"""Linear models over weighted term counts, with pruning: for classes, several labels and numbers.

The fitted model becomes a plain `TfidfVectorizer` and a linear estimator of scikit-learn
(`training.recipes.texts`). A search or a calibration counts terms once, since counting does not
depend on the targets, and fits these models many times on rows of the counts.
"""

import threading
from collections.abc import Sequence
from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from sklearn_api.calibration import Sigmoid

Floats = NDArray[np.float64]

# liblinear has one random number generator for the whole process: two concurrent fits would draw
# from it in turn, and give different models each time.
_LIBLINEAR = threading.Lock()

_SCORES = 10


class TermModel(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """TF-IDF of term counts, a linear model, and pruning of terms.

    Parameters
    ----------
    sublinear_tf : bool
        Whether a term that occurs n times in a text counts as 1 + ln(n).
    terms : int or None
        Number of terms to keep. The terms that contribute least to the scores of the texts are
        dropped, and the others are fitted again. None keeps all. With more than `_SCORES` scores
        for a text, fewer are kept, so that a model of a hundred classes can be served.

    Attributes
    ----------
    columns_ : ndarray of int
        Shape ``(kept,)``: the kept columns of the counts, in ascending order.
    idf_ : ndarray of float
        Shape ``(kept,)``: their inverse document frequencies.
    linear_ : estimator
        Fitted on the TF-IDF of the kept columns; it has `coef_` and `intercept_`.
    """

    sublinear_tf: bool
    terms: int | None

    def fit(self, counts: csr_matrix, targets: ArrayLike) -> Self:
        """Fit on counts of shape ``(n, all terms)`` and a target for each row."""
        targets = np.asarray(targets)
        self.columns_ = np.arange(counts.shape[1])
        self._fit(counts, targets)
        coefficients = np.abs(np.atleast_2d(self.linear_.coef_))
        limit = self.terms and self.terms * _SCORES // max(_SCORES, len(coefficients))
        if limit is not None and counts.shape[1] > limit:
            # How far a term moves the scores of the texts that it occurs in: the root of the sum of
            # squares, as if it occurred once in each of them and they had the same length. Of
            # several scores, the one that it moves farthest counts.
            frequency = np.bincount(counts.indices, minlength=counts.shape[1])
            moved = coefficients.max(axis=0) * self.idf_ * np.sqrt(frequency)
            self.columns_ = np.sort(np.argsort(-moved, kind="stable")[:limit])
            self._fit(counts[:, self.columns_], targets)
        return self

    def weigh(self, counts: csr_matrix) -> csr_matrix:
        """Return the TF-IDF of the kept columns, shape ``(n, kept)``."""
        return self._tfidf.transform(counts[:, self.columns_])

    def ordered(self, order: NDArray[np.int64]) -> Any:
        """Return the linear model as an estimator, its kept columns in another order.

        Parameters
        ----------
        order : ndarray of int
            Shape ``(kept,)``: indices of the kept columns.
        """
        model = copy(self.linear_)
        model.coef_ = np.ascontiguousarray(model.coef_[..., order])
        return model

    def _fit(self, counts: csr_matrix, targets: NDArray[Any]) -> None:
        self._tfidf = TfidfTransformer(sublinear_tf=self.sublinear_tf)
        weighted = self._tfidf.fit_transform(counts)
        self.idf_ = self._tfidf.idf_
        self.linear_ = self._fit_linear(weighted, counts, targets)

    def _fit_linear(self, weighted: csr_matrix, counts: csr_matrix, targets: NDArray[Any]) -> Any:
        raise NotImplementedError


class TermClassifier(ClassifierMixin, TermModel):  # type: ignore[misc]  # scikit-learn ships no types
    """TF-IDF, the naive-Bayes log-count ratio, and a linear support vector machine.

    The ratio is that of S. Wang and C. Manning, Baselines and Bigrams: Simple, Good Sentiment and
    Topic Classification, ACL 2012. It multiplies each column before the machine is fitted, so it
    can be folded into the coefficients afterwards. With more than two classes there is a machine
    for each class against the rest, with a ratio of its own.

    Parameters
    ----------
    C : float
        Inverse of the regularisation strength.
    sublinear_tf, terms
        See `TermModel`.
    smoothing : float or None
        Added to each class's number of texts with a term before the ratio is computed; None for no
        ratio.
    random_state : int
        Seed of the solver, which visits the rows in random order.

    Attributes
    ----------
    linear_ : LinearSVC
        Fitted on the TF-IDF of the kept columns, with the ratio folded into its coefficients.
    classes_ : ndarray
        The classes, in ascending order.
    """

    def __init__(
        self,
        C: float = 1.0,  # noqa: N803 - scikit-learn's name for it
        *,
        sublinear_tf: bool = False,
        smoothing: float | None = None,
        terms: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.C = C
        self.sublinear_tf = sublinear_tf
        self.smoothing = smoothing
        self.terms = terms
        self.random_state = random_state

    def fit(self, counts: csr_matrix, targets: ArrayLike) -> Self:
        """Fit on counts of shape ``(n, all terms)`` and classes of shape ``(n,)``."""
        super().fit(counts, targets)
        self.classes_ = self.linear_.classes_
        return self

    def decision_function(self, counts: csr_matrix) -> Floats:
        """Return the scores.

        Returns
        -------
        ndarray of float
            Shape ``(n,)``, positive for the second of two classes; ``(n, classes)`` for more.
        """
        scores: Floats = self.linear_.decision_function(self.weigh(counts))
        return scores

    def predict(self, counts: csr_matrix) -> NDArray[Any]:
        """Return the classes, shape ``(n,)``."""
        classes: NDArray[Any] = self.linear_.predict(self.weigh(counts))
        return classes

    def _fit_linear(self, weighted: csr_matrix, counts: csr_matrix, targets: NDArray[Any]) -> Any:
        classes = np.unique(targets)
        if self.smoothing is None:
            svc = LinearSVC(C=self.C, random_state=self.random_state)
            with _LIBLINEAR:
                return svc.fit(weighted, targets)
        positive = classes[1:] if len(classes) == 2 else classes
        machines = [
            _machine(weighted, counts, targets == one, self.C, self.smoothing, self.random_state)
            for one in positive
        ]
        return _joined(machines, classes)


class TermTagger(TermModel):
    """The machines of `TermClassifier` for labels of which any number apply to a text.

    Parameters
    ----------
    C, sublinear_tf, smoothing, terms, random_state
        See `TermClassifier`.

    Attributes
    ----------
    linear_ : LinearSVC
        With a row of coefficients for each label.
    """

    def __init__(
        self,
        C: float = 1.0,  # noqa: N803 - scikit-learn's name for it
        *,
        sublinear_tf: bool = False,
        smoothing: float | None = None,
        terms: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.C = C
        self.sublinear_tf = sublinear_tf
        self.smoothing = smoothing
        self.terms = terms
        self.random_state = random_state

    def decision_function(self, counts: csr_matrix) -> Floats:
        """Return the scores, shape ``(n, labels)``."""
        weighed = self.weigh(counts)
        scores: Floats = weighed @ self.linear_.coef_.T + self.linear_.intercept_
        return scores

    def one_vs_rest(
        self, order: NDArray[np.int64], sigmoids: Sequence[Sigmoid]
    ) -> OneVsRestClassifier:
        """Return the fitted machines as an estimator with a probability for each label.

        A label applies from a probability of a half on.

        Parameters
        ----------
        order : ndarray of int
            Shape ``(kept,)``: the kept columns' order in the estimator.
        sigmoids : sequence of Sigmoid
            Turn the scores of each label into probabilities. A logistic regression does that by
            itself, so they are folded into its coefficients.
        """
        coefficients, intercepts = self.linear_.coef_[:, order], self.linear_.intercept_
        labels = len(intercepts)
        # Fitted for its attributes alone: two rows, each label in one of them.
        estimator = OneVsRestClassifier(LogisticRegression(C=self.C))
        estimator.fit(np.eye(2), np.array([[1] * labels, [0] * labels]))
        for label, logistic in enumerate(estimator.estimators_):
            slope, intercept = sigmoids[label]
            logistic.coef_ = slope * coefficients[label : label + 1]
            logistic.intercept_ = np.array([slope * intercepts[label] + intercept])
            logistic.n_features_in_ = len(order)
        estimator.n_features_in_ = len(order)
        return estimator

    def _fit_linear(self, weighted: csr_matrix, counts: csr_matrix, targets: NDArray[Any]) -> Any:
        machines = [
            _machine(weighted, counts, column == 1, self.C, self.smoothing, self.random_state)
            for column in targets.T
        ]
        return _joined(machines, np.arange(targets.shape[1]))


class TermRegressor(RegressorMixin, TermModel):  # type: ignore[misc]  # scikit-learn ships no types
    """TF-IDF and ridge regression.

    Parameters
    ----------
    alpha : float
        Regularisation strength.
    sublinear_tf, terms
        See `TermModel`.

    Attributes
    ----------
    linear_ : Ridge
        Fitted on the TF-IDF of the kept columns.
    """

    def __init__(
        self, alpha: float = 1.0, *, sublinear_tf: bool = False, terms: int | None = None
    ) -> None:
        self.alpha = alpha
        self.sublinear_tf = sublinear_tf
        self.terms = terms

    def predict(self, counts: csr_matrix) -> Floats:
        """Return the numbers, shape ``(n,)``."""
        numbers: Floats = self.linear_.predict(self.weigh(counts))
        return numbers

    def _fit_linear(self, weighted: csr_matrix, counts: csr_matrix, targets: NDArray[Any]) -> Any:
        return Ridge(alpha=self.alpha).fit(weighted, targets)


def _machine(
    weighted: csr_matrix,
    counts: csr_matrix,
    positive: NDArray[np.bool_],
    C: float,  # noqa: N803 - scikit-learn's name for it
    smoothing: float | None,
    seed: int,
) -> LinearSVC:
    """Return a machine for rows against the rest, with the ratio folded into its coefficients.

    Where all rows are on one side, as happens to a rare label in a fold, its score is constant.
    """
    svc = LinearSVC(C=C, random_state=seed)
    if positive.all() or not positive.any():
        svc.coef_, svc.n_iter_ = np.zeros((1, counts.shape[1])), 0
        svc.intercept_ = np.array([1.0 if positive.all() else -1.0])
        svc.n_features_in_ = counts.shape[1]
        return svc
    ratio = np.ones(counts.shape[1])
    if smoothing is not None:
        ratio = _log_count_ratio(counts, positive, smoothing)
        weighted = csr_matrix(
            (weighted.data * ratio[weighted.indices], weighted.indices, weighted.indptr),
            shape=weighted.shape,
        )
    with _LIBLINEAR:
        svc.fit(weighted, positive)
    svc.coef_ *= ratio
    return svc


def _joined(machines: Sequence[LinearSVC], classes: NDArray[Any]) -> LinearSVC:
    """Return machines as one, the way scikit-learn joins them."""
    joined = machines[0]
    joined.classes_ = classes
    joined.coef_ = np.concatenate([machine.coef_ for machine in machines])
    joined.intercept_ = np.concatenate([machine.intercept_ for machine in machines])
    joined.n_iter_ = max(machine.n_iter_ for machine in machines)
    return joined


def _log_count_ratio(counts: csr_matrix, positive: NDArray[np.bool_], smoothing: float) -> Floats:
    """Return the logarithm of how much more frequent each term is in some rows than in the rest."""
    shares = []
    for rows in (positive, ~positive):
        with_term = np.bincount(counts[rows].indices, minlength=counts.shape[1])
        smoothed = with_term + smoothing
        shares.append(smoothed / smoothed.sum())
    ratio: Floats = np.log(shares[0] / shares[1])
    return ratio

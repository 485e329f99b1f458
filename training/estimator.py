"""A linear support vector machine over weighted term counts, with pruning.

The fitted classifier becomes a plain `TfidfVectorizer` and `LinearSVC` (`training.recipes`). A
search or a calibration counts terms once, since counting does not depend on the labels, and fits
this classifier many times on rows of the counts.
"""

import threading
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.svm import LinearSVC

Floats = NDArray[np.float64]

# liblinear has one random number generator for the whole process: two concurrent fits would draw
# from it in turn, and give different models each time.
_LIBLINEAR = threading.Lock()


class TermClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """TF-IDF, the naive-Bayes log-count ratio, and a linear support vector machine.

    The ratio is that of S. Wang and C. Manning, Baselines and Bigrams: Simple, Good Sentiment and
    Topic Classification, ACL 2012. It multiplies each column before the machine is fitted, so it
    can be folded into the coefficients afterwards.

    Parameters
    ----------
    C : float
        Inverse of the regularisation strength.
    sublinear_tf : bool
        Whether a term that occurs n times in a text counts as 1 + ln(n).
    smoothing : float or None
        Added to each class's number of texts with a term before the ratio is computed; None for no
        ratio.
    terms : int or None
        Number of terms to keep. The terms that contribute least to the scores of the texts are
        dropped, and the others are fitted again. None keeps all.
    random_state : int
        Seed of the solver, which visits the rows in random order.

    Attributes
    ----------
    columns_ : ndarray of int
        Shape ``(kept,)``: the kept columns of the counts, in ascending order.
    idf_ : ndarray of float
        Shape ``(kept,)``: their inverse document frequencies.
    svc_ : LinearSVC
        Fitted on the TF-IDF of the kept columns, with the ratio folded into its coefficients.
    classes_ : ndarray of int
        0 and 1.
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

    def fit(self, counts: csr_matrix, labels: ArrayLike) -> Self:
        """Fit on counts of shape ``(n, all terms)`` and labels 0 and 1 of shape ``(n,)``."""
        labels = np.asarray(labels)
        self.columns_ = np.arange(counts.shape[1])
        self._fit(counts, labels)
        if self.terms is not None and counts.shape[1] > self.terms:
            # How far a term moves the scores of the texts that it occurs in: the root of the sum of
            # squares, as if it occurred once in each of them and they had the same length.
            frequency = np.bincount(counts.indices, minlength=counts.shape[1])
            moved = np.abs(self.svc_.coef_[0]) * self.idf_ * np.sqrt(frequency)
            self.columns_ = np.sort(np.argsort(-moved, kind="stable")[: self.terms])
            self._fit(counts[:, self.columns_], labels)
        self.classes_ = self.svc_.classes_
        return self

    def decision_function(self, counts: csr_matrix) -> Floats:
        """Return the scores, shape ``(n,)``, positive for class 1."""
        scores: Floats = self.svc_.decision_function(
            self._tfidf.transform(counts[:, self.columns_])
        )
        return scores

    def predict(self, counts: csr_matrix) -> NDArray[np.int64]:
        """Return the labels, shape ``(n,)``."""
        return (self.decision_function(counts) > 0).astype(np.int64)

    def _fit(self, counts: csr_matrix, labels: NDArray[Any]) -> None:
        self._tfidf = TfidfTransformer(sublinear_tf=self.sublinear_tf)
        weighted = self._tfidf.fit_transform(counts)
        self.idf_ = self._tfidf.idf_
        self.svc_ = LinearSVC(C=self.C, random_state=self.random_state)
        ratio = np.ones(counts.shape[1])
        if self.smoothing is not None:
            ratio = _log_count_ratio(counts, labels, self.smoothing)
            weighted.data *= ratio[weighted.indices]
        with _LIBLINEAR:
            self.svc_.fit(weighted, labels)
        self.svc_.coef_ *= ratio


def _log_count_ratio(counts: csr_matrix, labels: NDArray[Any], smoothing: float) -> Floats:
    """Return the logarithm of how much more frequent each term is in texts of class 1."""
    shares = []
    for label in (1, 0):
        with_term = np.bincount(counts[labels == label].indices, minlength=counts.shape[1])
        smoothed = with_term + smoothing
        shares.append(smoothed / smoothed.sum())
    ratio: Floats = np.log(shares[0] / shares[1])
    return ratio

"""The models that can be trained; each becomes a plain `TfidfVectorizer` and `LinearSVC`."""

import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline

from training import ngrams
from training.estimator import TermClassifier
from training.options import RecipeName

_BLANKS = re.compile(r"\s\s+")


@dataclass(frozen=True)
class Recipe:
    """How texts become terms, and terms become a model.

    Attributes
    ----------
    name : str
        A `RecipeName`.
    token_pattern : str
        Regular expression of a word.
    characters : bool
        Whether each character is a word, whatever `token_pattern` is.
    longest : int
        Number of words in the longest n-grams; the shortest are single words.
    min_df : int
        Number of texts that a term must occur in.
    sublinear_tf, C, smoothing, terms
        See `training.estimator.TermClassifier`.
    """

    name: str
    token_pattern: str = r"(?u)\b\w\w+\b"  # noqa: S105 - scikit-learn's default, no password
    characters: bool = False
    longest: int = 1
    min_df: int = 1
    sublinear_tf: bool = False
    C: float = 1.0
    smoothing: float | None = None
    terms: int | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """All fields but the name, for the manifest."""
        return {key: value for key, value in asdict(self).items() if key != "name"}

    def count(self, texts: Sequence[str]) -> tuple[csr_matrix, list[str]]:
        """Count the terms of texts: see `training.ngrams.count`.

        Raises
        ------
        ValueError
            The texts contain no term.
        """
        if self.characters:
            # As scikit-learn's analyzer of characters does, blanks are counted once.
            counts, terms = ngrams.count(
                (_BLANKS.sub(" ", text) for text in texts),
                token_pattern="(?s).",
                longest=self.longest,
                min_df=self.min_df,
                joiner="",
            )
        else:
            counts, terms = ngrams.count(
                texts, token_pattern=self.token_pattern, longest=self.longest, min_df=self.min_df
            )
        if not terms:
            unit = "character" if self.characters else "word"
            raise ValueError(f"empty vocabulary: no {unit} occurs in {self.min_df} or more texts")
        return counts, terms

    def estimator(self, seed: int) -> TermClassifier:
        """Return an unfitted classifier of counts."""
        return TermClassifier(
            C=self.C,
            sublinear_tf=self.sublinear_tf,
            smoothing=self.smoothing,
            terms=self.terms,
            random_state=seed,
        )

    def pipeline(self, fitted: TermClassifier, terms: Sequence[str]) -> Pipeline:
        """Return a fitted classifier as a pipeline of scikit-learn's own estimators for texts.

        Parameters
        ----------
        fitted : TermClassifier
            Fitted on counts of this recipe.
        terms : sequence of str
            The terms of the columns of those counts.
        """
        kept = [terms[column] for column in fitted.columns_]
        order = np.array(sorted(range(len(kept)), key=kept.__getitem__))
        vectorizer = TfidfVectorizer(
            analyzer="char" if self.characters else "word",
            token_pattern=self.token_pattern,
            ngram_range=(1, self.longest),
            min_df=self.min_df,
            sublinear_tf=self.sublinear_tf,
        )
        vectorizer.vocabulary_ = {kept[index]: column for column, index in enumerate(order)}
        vectorizer.idf_ = fitted.idf_[order]
        svc = copy(fitted.svc_)
        svc.coef_ = np.ascontiguousarray(svc.coef_[:, order])
        return make_pipeline(vectorizer, svc)


ARTICLE = Recipe(RecipeName.ARTICLE)
"""`TfidfVectorizer` and `LinearSVC` with their defaults, as in the article."""

BEST = Recipe(
    RecipeName.BEST,
    # Words of one letter count too, and so do ! and ?: they reveal much about a review.
    token_pattern=r"(?u)\b\w+\b|[!?]",
    longest=4,
    min_df=2,
    sublinear_tf=True,
    smoothing=2.0,
    terms=300_000,
)
"""A naive-Bayes support vector machine with longer n-grams, TF-IDF and pruning."""

CHARACTERS = Recipe(
    RecipeName.CHARACTERS,
    characters=True,
    longest=3,
    min_df=2,
    sublinear_tf=True,
    smoothing=2.0,
    terms=300_000,
)
"""The same machine as `BEST` with n-grams of characters, for scripts without spaces."""

RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in (ARTICLE, BEST, CHARACTERS)}

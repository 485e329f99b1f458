"""Models of texts; each becomes a plain `TfidfVectorizer` and a linear estimator."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline

from sklearn_api.calibration import Sigmoid
from sklearn_api.signature import BINARY, MULTILABEL, REGRESSION
from training.options import RecipeName
from training.recipes import ngrams
from training.recipes.terms import TermClassifier, TermModel, TermRegressor, TermTagger

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
        See `training.recipes.terms.TermClassifier`.
    alpha
        See `training.recipes.terms.TermRegressor`.
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
    alpha: float = 1.0

    @property
    def parameters(self) -> dict[str, Any]:
        """All fields but the name, for the manifest."""
        return {key: value for key, value in asdict(self).items() if key != "name"}

    def count(self, texts: Sequence[str]) -> tuple[csr_matrix, list[str]]:
        """Count the terms of texts: see `training.recipes.ngrams.count`.

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

    def estimator(self, seed: int, task: str = BINARY) -> TermModel:
        """Return an unfitted model of counts for a task, one of `sklearn_api.signature.TASKS`."""
        if task == REGRESSION:
            return TermRegressor(self.alpha, sublinear_tf=self.sublinear_tf, terms=self.terms)
        machines = TermTagger if task == MULTILABEL else TermClassifier
        return machines(
            C=self.C,
            sublinear_tf=self.sublinear_tf,
            smoothing=self.smoothing,
            terms=self.terms,
            random_state=seed,
        )

    def pipeline(
        self, fitted: TermModel, terms: Sequence[str], sigmoids: Sequence[Sigmoid] = ()
    ) -> Pipeline:
        """Return a fitted model as a pipeline of scikit-learn's own estimators for texts.

        Parameters
        ----------
        fitted : TermModel
            Fitted on counts of this recipe.
        terms : sequence of str
            The terms of the columns of those counts.
        sigmoids : sequence of Sigmoid
            One for each label of a `TermTagger`.
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
        if isinstance(fitted, TermTagger):
            return make_pipeline(vectorizer, fitted.one_vs_rest(order, sigmoids))
        return make_pipeline(vectorizer, fitted.ordered(order))


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
    alpha=0.1,
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
    alpha=0.1,
)
"""The same machine as `BEST` with n-grams of characters, for scripts without spaces."""

RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in (ARTICLE, BEST, CHARACTERS)}

"""The pipelines that can be trained."""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC


def article(seed: int) -> Pipeline:
    """Return the article's pipeline: TF-IDF of single words, and a linear support vector machine.

    Parameters
    ----------
    seed : int
        Of the solver, which visits the rows in a random order.
    """
    return make_pipeline(TfidfVectorizer(), LinearSVC(random_state=seed))

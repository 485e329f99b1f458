"""Steps of pipelines as users write them: code of one's own, which is not scikit-learn's."""

from collections.abc import Iterable
from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction import text
from sklearn.svm import SVC

MODULE = "tests.helpers.steps"
CALLS: list[str] = []
"""What has been called that reading an artifact must not call."""
NOT_CALLABLE = "a string"


def tokenize(text: str) -> list[str]:
    """Split a text at dashes."""
    return text.lower().split("-")


def tokenize_at(separator: str, text: str) -> list[str]:
    """Split a text at a separator."""
    return text.split(separator)


def look_up(texts: Any, words: dict[str, int]) -> Any:
    """Return texts as they are."""
    return texts


def ratio(rows: Any) -> Any:
    """Divide the first column of an array by the others; there is no zero among them."""
    array = rows.to_numpy() if hasattr(rows, "to_numpy") else rows
    return array[:, :1] / (array[:, 1:] + 1.0)


class Shout(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A transformer, as scikit-learn's guide to developing estimators describes it."""

    def __init__(self, mark: str = "!") -> None:
        CALLS.append("__init__")
        self.mark = mark

    def fit(self, texts: Iterable[str], y: object = None) -> "Shout":
        self.loudest_ = max(texts, key=len)
        return self

    def transform(self, texts: Iterable[str]) -> list[str]:
        return [text.upper() + self.mark for text in texts]


class Tokenizer:
    """A callable object that restores what cannot be stored."""

    def __init__(self, separator: str) -> None:
        self.separator = separator
        self.lock = object()

    def __getstate__(self) -> dict[str, Any]:
        return {"separator": self.separator}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.separator = state["separator"]
        self.lock = object()

    def __call__(self, text: str) -> list[str]:
        assert self.lock
        return text.split(self.separator)


class Forgetful(Tokenizer):
    """A callable object that does not store what it needs."""

    def __getstate__(self) -> dict[str, Any]:
        return {"separator": "other"}


class Lost(Tokenizer):
    """A callable object that does not restore what it needs."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.separator = state["separator"]


class Reduced(Tokenizer):
    """A callable object that is pickled as a call."""

    def __reduce__(self) -> tuple[Any, ...]:
        CALLS.append("__reduce__")
        return (Reduced, (self.separator,))


class Words(dict[str, int]):
    """A dict with a type of its own."""


class TfidfVectorizer(text.TfidfVectorizer):  # type: ignore[misc]  # scikit-learn has no types
    """A vectorizer that is called like scikit-learn's."""


class Machine(SVC):  # type: ignore[misc]  # scikit-learn has no types
    """A support vector machine under another name."""


def made_inside() -> Any:
    """Return a function that the module does not define."""

    def tokenize(text: str) -> list[str]:
        return [text]

    return tokenize

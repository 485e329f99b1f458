"""Fifteen pipelines, of texts and of tables, for every task, with a thousand held-out rows each.

Some of the held-out rows have gaps, and values that no pipeline was fitted on.
"""

import functools
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVC

from tests.helpers.customers import NUMBERS, WORDS, customers
from tests.helpers.tables import numbers, usual, words

TRAINED, HELD_OUT = 400, 1000

_TOPICS = {
    "delivery": ["late", "parcel", "courier", "lost", "tracking"],
    "billing": ["invoice", "refund", "charged", "twice", "card"],
    "quality": ["broken", "scratched", "colour", "cheap", "returned"],
}
_OTHERS = ["the", "was", "very", "my", "order", "caf\u00e9", "\u4e2d\u6587", "I", "it's", "please"]


class Served(NamedTuple):
    """A fitted pipeline, and rows that it has not seen.

    Attributes
    ----------
    pipeline : estimator
    rows : list of str, or DataFrame
        What `predict` takes; an array of the DataFrame's values, if `arrays`.
    targets : DataFrame or None
        What names the labels of a pipeline with several.
    words : mapping or None
        What clients see for the labels, where it is not made from them.
    arrays : bool
        Whether the pipeline was fitted on an array.
    """

    pipeline: Any
    rows: Any
    targets: Any = None
    words: dict[Any, str] | None = None
    arrays: bool = False

    @property
    def given(self) -> Any:
        """The rows as the pipeline takes them."""
        return self.rows.to_numpy() if self.arrays else self.rows


PIPELINES: dict[str, Callable[[], Served]] = {}


def _pipeline(build: Callable[[], Served]) -> Callable[[], Served]:
    PIPELINES[build.__name__] = build
    return build


@functools.cache
def served(name: str) -> Served:
    """Return one of the pipelines, fitted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PIPELINES[name]()


@functools.cache
def _complaints() -> tuple[list[str], list[str]]:
    """Return texts about three topics, some of them empty of known words, and the topics."""
    rng = np.random.default_rng(5)
    texts, topics = [], []
    for number in range(TRAINED + HELD_OUT):
        topic = str(rng.choice(list(_TOPICS)))
        some = [*rng.choice(_TOPICS[topic], 3), *rng.choice(_OTHERS, 5)]
        if number >= TRAINED and number % 20 == 0:
            some = ["never", "seen", f"\U0001f600 {number}"]
        rng.shuffle(some)
        texts.append(" ".join(map(str, some)) + str(rng.choice([".", "!", "\n", ""])))
        topics.append(topic)
    return texts, topics


def _texts(pipeline: Any, target: Any, **keywords: Any) -> Served:
    texts, _ = _complaints()
    pipeline.fit(texts[:TRAINED], None if target is None else target[:TRAINED])
    return Served(pipeline, texts[TRAINED:], **keywords)


@functools.cache
def _customers() -> tuple[Any, Any]:
    """Return customers to fit on, and others, some of whom have plans that nobody had before."""
    trained, held_out = customers(TRAINED, 1), customers(HELD_OUT, 2).copy()
    for name, gap in (("plan", np.nan), ("calls", np.nan), ("tenure", np.nan), ("senior", None)):
        column = held_out[name].astype(float if name == "tenure" else held_out[name].dtype)
        column = column.astype(object) if name == "senior" else column
        column[np.random.default_rng(len(name)).random(HELD_OUT) < 0.05] = gap
        held_out[name] = column
    held_out.loc[held_out.index % 17 == 0, "plan"] = "platinum"
    held_out.loc[held_out.index % 19 == 0, "region"] = "Ile-de-France"
    held_out.loc[held_out.index % 23 == 0, "charges"] = 1e7
    return trained, held_out


def _score(frame: Any) -> Any:
    noise = np.random.default_rng(3).normal(0, 0.3, len(frame))
    return frame["tenure"] / 30 - frame["calls"] / 3 + (frame["plan"] == "pro") + noise


def _table(
    pipeline: Any,
    target: Callable[[Any], Any] | None,
    prepare: Callable[[Any], Any] = lambda frame: frame,
    **keywords: Any,
) -> Served:
    trained, held_out = _customers()
    pipeline.fit(prepare(trained), *([] if target is None else [target(trained)]))
    return Served(pipeline, prepare(held_out), **keywords)


@_pipeline
def text_binary() -> Served:
    """Strings as classes, in the compiled form."""
    target = ["complaint" if topic == "billing" else "other" for topic in _complaints()[1]]
    words = {"complaint": "Complaint", "other": "Something else"}
    return _texts(make_pipeline(TfidfVectorizer(), LinearSVC()), target, words=words)


@_pipeline
def text_booleans() -> Served:
    """Characters, counted."""
    counts = CountVectorizer(analyzer="char_wb", ngram_range=(1, 3))
    target = [topic == "quality" for topic in _complaints()[1]]
    return _texts(make_pipeline(counts, MultinomialNB()), target)


@_pipeline
def text_multiclass() -> Served:
    """A ticket router."""
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression())
    return _texts(pipeline, _complaints()[1])


@_pipeline
def text_multilabel() -> Served:
    """Tags that may all apply, or none."""
    texts, _ = _complaints()
    table = {word: [int(word in text) for text in texts] for word in ("late", "was", "please")}
    target = pd.DataFrame(table)
    pipeline = make_pipeline(TfidfVectorizer(), OneVsRestClassifier(LogisticRegression()))
    return _texts(pipeline, target, targets=target)


@_pipeline
def text_regression() -> Served:
    """A number for each text."""
    target = [len(text) / 7 for text in _complaints()[0]]
    return _texts(make_pipeline(CountVectorizer(), Ridge()), target)


@_pipeline
def text_cluster() -> Served:
    """Without any target."""
    return _texts(make_pipeline(TfidfVectorizer(), KMeans(3, n_init=1, random_state=0)), None)


@_pipeline
def table_binary() -> Served:
    """What most people write."""
    return _table(make_pipeline(usual(), LogisticRegression()), lambda frame: _score(frame) > 0)


@_pipeline
def table_multiclass() -> Served:
    """Boosting that finds its categories by their dtype."""

    def prepare(frame: Any) -> Any:
        kinds = {"plan": ["basic", "plus", "pro", "platinum"]}
        kinds["region"] = ["north", "south", "east", "west", "Ile-de-France"]
        dtypes = {name: pd.CategoricalDtype(values) for name, values in kinds.items()}
        return frame[[*WORDS, "tenure", "charges", "calls"]].astype(dtypes)

    def target(frame: Any) -> Any:
        return pd.cut(_score(frame), [-99, -0.5, 0.5, 99], labels=[3, 1, 2]).astype(int)

    boosting = HistGradientBoostingClassifier(max_iter=10, categorical_features="from_dtype")
    return _table(boosting, target, prepare, words={1: "waits", 2: "stays", 3: "leaves"})


@_pipeline
def table_multilabel() -> Served:
    """A forest, with one list of probabilities for each label."""
    forest = RandomForestClassifier(10, max_depth=5, random_state=0)
    trained, _ = _customers()
    labels = pd.DataFrame({"calls": trained["calls"] > 3, "churns": _score(trained) > 0}).astype(
        int
    )
    return _table(make_pipeline(usual(), forest), lambda _: labels, targets=labels)


@_pipeline
def table_regression() -> Served:
    """Prices on a logarithmic scale."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((encoder, WORDS), ("passthrough", NUMBERS))
    boosting = HistGradientBoostingRegressor(max_iter=10)
    model = TransformedTargetRegressor(
        make_pipeline(columns, boosting), func=np.log1p, inverse_func=np.expm1
    )
    return _table(model, lambda frame: frame["tenure"] * 3.5 + (frame["plan"] == "pro") * 40)


@_pipeline
def table_cluster() -> Served:
    """A mixture, whose components have probabilities."""
    mixture = GaussianMixture(3, random_state=0)
    columns = make_column_transformer((numbers(), ["tenure", "charges", "calls"]))
    return _table(make_pipeline(columns, mixture), None)


@_pipeline
def table_outlier() -> Served:
    """Which customers are unlike the others."""
    forest = IsolationForest(n_estimators=20, random_state=0)
    return _table(make_pipeline(usual(), TruncatedSVD(3, random_state=0), forest), None)


@_pipeline
def table_with_texts() -> Served:
    """Texts, numbers, and gaps that are None, in a search."""

    def prepare(frame: Any) -> Any:
        for name in WORDS:
            frame = frame.assign(
                **{name: frame[name].astype(object).where(frame[name].notna(), None)}
            )
        return frame

    columns = make_column_transformer(
        (TfidfVectorizer(), "note"), (OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=-1), WORDS), (numbers(), NUMBERS)
    )  # fmt: skip
    search = GridSearchCV(
        make_pipeline(columns, StandardScaler(with_mean=False), LogisticRegression()),
        {"logisticregression__C": [0.1, 1.0]},
        cv=2,
    )
    return _table(search, lambda frame: np.where(_score(frame) > 0, "yes", "no"), prepare)


@_pipeline
def table_calibrated() -> Served:
    """Whole numbers as classes, and probabilities of its own."""
    model = make_pipeline(
        make_column_transformer((words(), ["region"]), (numbers(), NUMBERS)), LinearSVC()
    )
    target = np.digitize
    return _table(CalibratedClassifierCV(model, cv=2), lambda frame: target(_score(frame), [0, 1]))


@_pipeline
def array_of_numbers() -> Served:
    """Fitted on a plain array, without names or gaps."""
    names = ["tenure", "charges", "calls"]
    frames = [frame[names].fillna(0.0).astype(float) for frame in _customers()]
    model = make_pipeline(StandardScaler(), KNeighborsClassifier(5))
    model.fit(frames[0].to_numpy(), (_score(_customers()[0]) > 0).astype(float))
    rows = frames[1].set_axis([f"x{number}" for number in range(len(names))], axis=1)
    return Served(model, rows, arrays=True)

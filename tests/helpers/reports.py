"""Small models of every task with their evaluations, and what a browser shows of a report."""

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_api.calibration import Sigmoid
from sklearn_api.signature import (
    BINARY,
    CLUSTER,
    MULTICLASS,
    MULTILABEL,
    NUMBER,
    REGRESSION,
    STRING,
    TABLE,
    TEXT,
    Input,
    Label,
    Signature,
)
from tests.helpers import customers
from training.artifact.manifest import Manifest
from training.evaluation import Evaluation, evaluate
from training.report import render

HOSTILE = '<script>alert("1")</script> & <img src="http://example.com/x"> good<br /><br />film'
WORDS = {"good": "good nice fine", "bad": "bad awful poor", "late": "late slow never $5 and $6"}


class Page(HTMLParser):
    """Collects what a browser would show of a page, and checks that elements are closed."""

    VOID = ("meta", "br")

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(content)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += data


@dataclass(frozen=True)
class Made:
    """What a report is made of."""

    manifest: Manifest
    evaluation: Evaluation
    pipeline: Any

    def render(self) -> str:
        return render(self.manifest, self.evaluation, self.pipeline)


def manifest(signature: Signature, evaluation: Evaluation, **training: Any) -> Manifest:
    """Return a manifest of a model that was imported: little is known of its training."""
    return Manifest(
        name="made <b>",
        version="",
        created="2026-11-27T10:00:00+00:00",
        sha256="0123456789abcdef" * 4,
        size=12_345,
        format=4,
        python="3.13",
        libraries={"scikit-learn": "1.9.1"},
        signature=signature.to_dict(),
        training=training,
        metrics=evaluation.metrics(),
        git_revision=None,
        not_compiled="only models of texts are compiled",
    )


def made(
    pipeline: Any, signature: Signature, rows: Any, targets: Any, calibration: Any = None
) -> Made:
    """Evaluate a pipeline, and return what its report is made of."""
    evaluation = evaluate(pipeline, calibration, signature, rows, targets)
    return Made(manifest(signature, evaluation), evaluation, pipeline)


def texts() -> tuple[list[str], list[str]]:
    """Return 90 texts of three classes, and the classes."""
    rows = [(word, kind) for kind, words in WORDS.items() for word in words.split()[:3]]
    many = [(f"a {word} film {number}", kind) for number in range(10) for word, kind in rows]
    return [text for text, _ in many], [kind for _, kind in many]


def text_input() -> tuple[Input, ...]:
    return (Input("film", STRING, nullable=False, example='a "good" <film>', objects=True),)


def labels(names: Any, prefix: str = "") -> tuple[Label, ...]:
    return tuple(Label(name, f"{prefix}{name}") for name in names)


def binary_texts() -> Made:
    """Good films and others; one of the measured texts has markup and a wrong label."""
    rows, kinds = texts()
    good = [kind == "good" for kind in kinds]
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)).fit(rows, good)
    signature = Signature(
        TEXT, BINARY, text_input(), (Label(False, "Otherwise <i>"), Label(True, "Good & $3 $4"))
    )
    return made(pipeline, signature, [*rows, HOSTILE], [*good, False], Sigmoid(2.0, 0.0))


def multiclass_texts() -> Made:
    """Three kinds of films."""
    rows, kinds = texts()
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(rows, kinds)
    wrong = ["bad", *kinds[1:]]
    signature = Signature(TEXT, MULTICLASS, text_input(), labels(pipeline.classes_.tolist()))
    return made(pipeline, signature, rows, wrong)


def many_classes(count: int, *, words: list[str] | None = None) -> Made:
    """As many classes as asked for, of which each is now and then taken for the next."""
    rows = [f"term{(row + (row % 7 == 0)) % count:03}" for row in range(count * 3)]
    kinds = [row % count for row in range(count * 3)]
    clean = [f"term{row % count:03}" for row in range(count * 3)]
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(clean, kinds)
    shown = words or [f"class {number}" for number in range(count)]
    pairs = zip(range(count), shown, strict=True)
    signature = Signature(TEXT, MULTICLASS, text_input(), tuple(Label(*pair) for pair in pairs))
    return made(pipeline, signature, rows, kinds)


def multilabel_texts() -> Made:
    """Films with any of three labels."""
    rows, kinds = texts()
    both = [f"{one} {other}" for one, other in zip(rows, rows[40:] + rows[:40], strict=True)]
    pairs = [*zip(kinds, kinds[40:] + kinds[:40], strict=True)]
    indicators = np.array([[name in pair for name in WORDS] for pair in pairs]).astype(int)
    model = OneVsRestClassifier(LogisticRegression(C=10))
    pipeline = make_pipeline(TfidfVectorizer(), model).fit(both, indicators)
    signature = Signature(TEXT, MULTILABEL, text_input(), labels(WORDS))
    indicators[0] = 1 - indicators[0]
    return made(pipeline, signature, both, indicators)


def regression_texts() -> Made:
    """How many stars a film has."""
    rows, kinds = texts()
    stars = [{"good": 5.0, "late": 3.0, "bad": 1.0}[kind] for kind in kinds]
    pipeline = make_pipeline(TfidfVectorizer(), Ridge()).fit(rows, stars)
    return made(pipeline, Signature(TEXT, REGRESSION, text_input()), rows, stars)


def table_inputs() -> tuple[Input, ...]:
    frame = customers.customers()
    return tuple(
        Input(name, STRING, True, ("<basic>", "plus"), True, "plus", True)
        if name in customers.WORDS
        else Input(name, STRING if name == "note" else NUMBER)
        for name in frame
    )


def table(estimator: Any, target: Any, task: str, names: Any = ()) -> Made:
    """Customers, and what is to be predicted of them."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["plan", "region"]),
        ("passthrough", ["tenure", "calls"]),
    )
    frame = customers.customers()
    train, test = customers.TRAINED, customers.HELD_OUT
    pipeline = make_pipeline(columns, estimator)
    if target is None:
        pipeline.fit(frame[train])
    else:
        pipeline.fit(frame[train], target[train])
    signature = Signature(TABLE, task, table_inputs(), labels(names, "is "))
    return made(pipeline, signature, frame[test], None if target is None else target[test])


def binary_table() -> Made:
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    return table(tree, customers.churned(), BINARY, [False, True])


def multiclass_table() -> Made:
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    return table(tree, customers.classes(), MULTICLASS, ["leaves", "stays", "waits"])


def regression_table() -> Made:
    noise = np.random.default_rng(2).normal(0, 5, len(customers.customers()))
    return table(LinearRegression(), customers.prices() + noise, REGRESSION)


def clusters() -> Made:
    return table(KMeans(4, random_state=0, n_init=1), None, CLUSTER, range(4))


TASKS = {
    "binary texts": binary_texts,
    "multiclass texts": multiclass_texts,
    "multilabel texts": multilabel_texts,
    "regression of texts": regression_texts,
    "binary table": binary_table,
    "multiclass table": multiclass_table,
    "regression of a table": regression_table,
    "clusters": clusters,
}

"""Code of one's own in a pipeline: stored by its name, beside the state of its objects."""

import functools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_api.errors import ArtifactError
from sklearn_api.load import load_model, load_sklearn_model
from sklearn_api.signature import BINARY, NUMBER, TABLE, Input, Label, Signature
from tests.helpers import steps
from tests.helpers.stored import LIMIT, signature_of
from training.artifact.dump import dump_pipeline
from training.artifact.write import write_artifact

TEXTS = ["good-film", "bad-film", "good-and-nice", "awful-and-bad"] * 3
LABELS = [1, 0, 1, 0] * 3
NEW = ["a-good-film", "bad-bad", "nothing known"]


def fitted(*first: Any) -> Pipeline:
    """Return a classifier of texts that starts with these steps."""
    pipeline: Pipeline = make_pipeline(*first, LogisticRegression())
    return pipeline.fit(TEXTS, LABELS)


def counting(tokenizer: Any) -> Pipeline:
    """Return a classifier of texts that calls this tokenizer."""
    return fitted(CountVectorizer(tokenizer=tokenizer, token_pattern=None))


def own(*names: str) -> list[str]:
    """Return the full names of what the tests' module of steps defines."""
    return [f"{steps.MODULE}.{name}" for name in names]


PARTIAL = CountVectorizer(analyzer=functools.partial(steps.tokenize_at, "-"))


@pytest.mark.parametrize(
    ("pipeline", "name"),
    [
        (fitted(TfidfVectorizer(tokenizer=steps.tokenize, token_pattern=None)), "tokenize"),
        (fitted(PARTIAL), "tokenize_at"),
        (fitted(steps.Shout("?"), TfidfVectorizer()), "Shout"),
        (counting(steps.Tokenizer("-")), "Tokenizer"),
    ],
    ids=["function", "partial", "transformer", "callable"],
)
def test_declared_code_is_stored_and_predicts_the_same(pipeline: Pipeline, name: str) -> None:
    """A function, a partial, a transformer and a callable object; without a compiled form."""
    with pytest.raises(ArtifactError, match=rf"{steps.MODULE}\.{name}; .*own_code"):
        write_artifact(pipeline, signature_of(pipeline), rows=TEXTS)
    artifact = write_artifact(pipeline, signature_of(pipeline), rows=TEXTS, own_code=own(name))
    assert artifact.not_compiled
    model = load_model(artifact.content, LIMIT, own_code=own(name, "tokenize"))
    assert model.form == "sklearn"
    wanted = pipeline.predict_proba(NEW).tolist()
    assert [one.probabilities for one in model.predict(NEW)] == wanted


def test_an_endpoint_that_does_not_declare_it_refuses_the_artifact() -> None:
    """What an artifact may name is up to the endpoint, and never to the artifact."""
    pipeline = counting(steps.tokenize)
    artifact = write_artifact(pipeline, signature_of(pipeline), own_code=own("tokenize"))
    for declared in ((), own("Tokenizer")):
        with pytest.raises(ArtifactError, match=r"not on the list.*steps\.tokenize"):
            load_sklearn_model(artifact.content, LIMIT, declared)


def test_neither_init_nor_reduce_is_called() -> None:
    """An object is made by `__new__` and given its attributes, as those of scikit-learn are."""
    pipeline = fitted(steps.Shout("?"), TfidfVectorizer())
    steps.CALLS.clear()
    artifact = write_artifact(pipeline, signature_of(pipeline), rows=TEXTS, own_code=own("Shout"))
    model = load_sklearn_model(artifact.content, LIMIT, own("Shout"))
    assert vars(model.pipeline[0]) == vars(pipeline[0])
    assert steps.CALLS == []


@pytest.mark.parametrize(
    ("tokenizer", "name", "reason"),
    [
        (steps.Reduced("-"), "Reduced", "defines __reduce__, which is never called"),
        (steps.made_inside(), "tokenize", "define it at the top level"),
        (steps.Forgetful("-"), "Forgetful", "read back, it answers"),
        (steps.Lost("-"), "Lost", "read back, it raises AttributeError"),
        (steps.Tokenizer("-").__call__, "Tokenizer", "instead of a method"),
    ],
)
def test_what_would_not_be_the_same_is_refused(tokenizer: Any, name: str, reason: str) -> None:
    """Whatever an artifact would lose is refused before it is written."""
    pipeline = counting(tokenizer)
    with pytest.raises(ArtifactError, match=reason):
        write_artifact(pipeline, signature_of(pipeline), rows=TEXTS, own_code=own(name))


def test_a_container_with_a_type_of_its_own_is_refused() -> None:
    """The state of an object is its attributes; what a dict contains is not among them."""
    pipeline = fitted(
        FunctionTransformer(steps.look_up, kw_args={"words": steps.Words(a=1)}), PARTIAL
    )
    with pytest.raises(ArtifactError, match="Words derives from dict"):
        dump_pipeline(pipeline, own("look_up", "Words", "tokenize_at"))


def test_code_of_a_script_is_refused_with_what_to_do() -> None:
    """A notebook's functions belong to `__main__`, which a Lambda does not have."""

    def tokenize(text: str) -> list[str]:
        return text.split("-")

    tokenize.__module__ = "__main__"
    with pytest.raises(ArtifactError, match=r"move it to a module in the endpoint's folder"):
        dump_pipeline(counting(tokenize))


def test_a_table_may_use_declared_code() -> None:
    """A step that takes an array is served without pandas, like those of scikit-learn."""
    rows = pd.DataFrame({"a": np.arange(20.0), "b": np.arange(20.0)[::-1]})
    pipeline = make_pipeline(FunctionTransformer(steps.ratio), LogisticRegression())
    pipeline.fit(rows, [0, 1] * 10)
    inputs = tuple(Input(name, NUMBER, nullable=False) for name in rows)
    signature = Signature(TABLE, BINARY, inputs, (Label(0, "no"), Label(1, "yes")))
    artifact = write_artifact(pipeline, signature, rows=rows, own_code=own("ratio"))
    model = load_sklearn_model(artifact.content, LIMIT, own("ratio"))
    found = [one.probabilities for one in model.predict(rows.to_dict("records"))]
    assert found == pipeline.predict_proba(rows).tolist()


def test_the_compiler_does_not_take_a_type_for_the_one_that_it_derives_from() -> None:
    """A vectorizer of one's own may count anything, whatever its type is called."""
    pipeline = fitted(steps.TfidfVectorizer())
    name = own("TfidfVectorizer")
    artifact = write_artifact(pipeline, signature_of(pipeline), rows=TEXTS, own_code=name)
    assert artifact.not_compiled == f"{name[0]} is not a text vectorizer"


def test_what_a_notebook_defines_cannot_be_declared() -> None:
    """A Lambda has another main module; the message says where to put the code."""
    with pytest.raises(ArtifactError, match=r"own_code names __main__\.same; .*handlers/<name>"):
        dump_pipeline(fitted(TfidfVectorizer()), ["__main__.same"])

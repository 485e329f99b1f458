"""Models of every kind behind an endpoint: tables, numbers, several classes, code of one's own."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeRegressor

from sklearn_api.artifact.header import FORMAT, HEADER, python_version
from sklearn_api.signature import (
    MULTICLASS,
    MULTILABEL,
    NUMBER,
    REGRESSION,
    SIGNATURE,
    STRING,
    TABLE,
    TEXT,
    Input,
    Label,
    Signature,
)
from tests.helpers import steps
from tests.helpers.endpoints import Context, Handler, answer, event, make_handler, publish
from tests.helpers.stored import REVIEW_SIGNATURE, stored
from training.artifact.dump import dump_pipeline
from training.artifact.members import write_archive
from training.artifact.write import write_artifact

TEXTS = ["I love this movie", "I hate this movie", "love it", "hate it"]
ROWS = np.array([["a", 1.0], ["b", 2.0], ["a", 3.0], ["b", np.nan]], dtype=object)
HOUSES = Signature(
    TABLE,
    REGRESSION,
    (
        Input("street", STRING, nullable=False, example="a", objects=True),
        Input("rooms", NUMBER, example=1.0),
    ),
)


def house_prices(regressor: Any) -> Pipeline:
    """Return a regression on a table with a category that is not closed, and a gap."""
    columns = ColumnTransformer(
        [("street", OneHotEncoder(), [0]), ("rooms", SimpleImputer(), [1])], sparse_threshold=0
    )
    made: Pipeline = make_pipeline(columns, regressor).fit(ROWS, [10.0, 20.0, 30.0, 40.0])
    return made


def serve_table(pipeline: Pipeline) -> Handler:
    """Return a handler that serves a pipeline that was fitted on `ROWS`."""
    frame = pd.DataFrame({"street": ROWS[:, 0], "rooms": ROWS[:, 1].astype(float)})
    artifact = write_artifact(pipeline, HOUSES, rows=frame).content
    return make_handler(publish(artifact))


def test_a_row_of_a_table_gets_its_number() -> None:
    """The fields are those of the signature; null and a missing field are the same gap."""
    pipeline = house_prices(LinearRegression())
    handler = serve_table(pipeline)
    expected = [float(value) for value in pipeline.predict(ROWS)]
    rows = [{"street": street, "rooms": rooms} for street, rooms in ROWS[:3]]
    gaps = [{"street": "b", "rooms": None}, {"street": "b"}]
    found = answer(handler, {"instances": [*rows, *gaps]})
    assert found["predictions"] == [{"prediction": value} for value in (*expected, expected[3])]
    assert answer(handler, rows[0])["prediction"] == expected[0]
    text = handler(event(rows[0], Accept="text/plain"), Context())["body"]
    assert text == json.dumps(expected[0])


@pytest.mark.parametrize(
    ("regressor", "bad"),
    [
        (LinearRegression(), {"street": "secret"}),
        (DecisionTreeRegressor(random_state=0), {"street": "a", "rooms": 1e300}),
    ],
    ids=["an unknown category", "more than float32"],
)
def test_values_that_only_the_pipeline_refuses_are_the_clients_mistake(
    regressor: Any, bad: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The problem names the instances, and neither it nor the log repeats scikit-learn's words."""
    handler = serve_table(house_prices(regressor))
    good = {"street": "a", "rooms": 2}
    assert answer(handler, {"instances": [good, good]})
    capsys.readouterr()
    found = handler(event({"instances": [good, bad, good, good, bad]}), Context())
    assert found["statusCode"] == 400
    problem = json.loads(found["body"])
    detail = "the model cannot handle the values of this instance"
    assert problem["errors"] == [
        {"instance": number, "field": None, "detail": detail} for number in (1, 4)
    ]
    line = capsys.readouterr().out
    assert (json.loads(line)["status"], json.loads(line)["cause"]) == (400, "ValueError")
    assert any("sklearn" in frame for frame in json.loads(line)["frames"])
    assert "secret" not in line + found["body"]
    alone = json.loads(handler(event(bad), Context())["body"])
    assert (alone["status"], alone["detail"]) == (400, detail)


def test_a_model_that_always_fails_is_our_mistake(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Values that any model of this signature should take are never blamed on the client."""
    columns = [Input(f"column {number}", NUMBER, example=1.0) for number in range(2)]
    signature = Signature(TABLE, REGRESSION, tuple(columns))
    three = make_pipeline(FunctionTransformer(), LinearRegression()).fit(np.eye(3), [1, 2, 3])
    header = {
        "format": FORMAT,
        "python": python_version(),
        "scikit-learn": sklearn.__version__,
        "calibration": None,
        "not_compiled": "it is a table",
    }
    members = {HEADER: json.dumps(header).encode(), SIGNATURE: signature.to_json()}
    handler = make_handler(publish(write_archive({**members, **dump_pipeline(three)})))
    found = handler(event({"column 0": 1, "column 1": 2}), Context())
    assert found["statusCode"] == 500
    assert "unexpected" in json.loads(found["body"])["detail"]
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["error"] == "ValueError"


def test_several_classes_and_several_labels_are_answered_in_words() -> None:
    """Words come from the signature, for each class or label that the estimator has."""
    inputs = (Input("text", STRING, nullable=False, objects=True),)
    three = make_pipeline(CountVectorizer(), LogisticRegression())
    three.fit([*TEXTS, "so so"], ["l", "h", "l", "h", "n"])
    classes = (Label("h", "Hate"), Label("l", "Love"), Label("n", "Neither"))
    signature = Signature(TEXT, MULTICLASS, inputs, classes)
    handler = make_handler(publish(stored(three, signature=signature).content))
    found = answer(handler, {"text": "love"})
    assert (found["prediction"], found["label"]) == ("Love", "l")
    assert list(found["probabilities"]) == ["Hate", "Love", "Neither"]
    assert found["probability"] == max(found["probabilities"].values())
    several = make_pipeline(CountVectorizer(), OneVsRestClassifier(LogisticRegression(C=100)))
    several.fit(TEXTS, np.array([[1, 0], [0, 1], [1, 0], [0, 1]]))
    signature = Signature(TEXT, MULTILABEL, inputs, (Label(0, "up"), Label(1, "down")))
    handler = make_handler(publish(stored(several, signature=signature).content))
    found = answer(handler, {"text": "love"})
    assert (found["prediction"], found["label"]) == (["up"], [0])
    assert (found["score"], found["probability"]) == (None, None)
    assert list(found["probabilities"]) == ["up", "down"]
    text = handler(event({"text": "love"}, Accept="text/plain"), Context())
    assert text["body"] == "up"


def test_declared_code_is_used_by_the_model() -> None:
    """Code that ships with the endpoint serves; an endpoint that does not declare it is without."""
    name = f"{steps.MODULE}.tokenize"
    vectorizer = CountVectorizer(tokenizer=steps.tokenize, token_pattern=None)
    pipeline = make_pipeline(vectorizer, LinearSVC(random_state=0))
    pipeline.fit(["love-it", "hate-it"], [1, 0])
    s3 = publish(write_artifact(pipeline, REVIEW_SIGNATURE, own_code=[name]).content)
    assert answer(make_handler(s3, own_code=[name]), {"review_text": "i-love-it"})["label"] == 1
    found = make_handler(s3, own_code=[f"{steps.MODULE}.Shout"])(event({}), Context())
    assert found["statusCode"] == 503
    assert f"not on the list of trusted names: {name}" in json.loads(found["body"])["detail"]

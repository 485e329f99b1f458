"""Predictions in JSON and as text."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_api import answers
from sklearn_api.answers import MAX_BYTES, Answers
from sklearn_api.errors import PayloadTooLargeError
from sklearn_api.model import Prediction
from sklearn_api.signature import (
    BINARY,
    CLUSTER,
    MULTICLASS,
    MULTILABEL,
    OUTLIER,
    REGRESSION,
    STRING,
    TEXT,
    Input,
    Label,
    LabelValue,
    Signature,
)

MODEL = {"name": "tickets", "version": "7"}
INFINITE, UNKNOWN = float("inf"), float("nan")


def make_answers(task: str, **words: LabelValue) -> Answers:
    """Return the answers of a model with these words for its labels."""
    labels = tuple(Label(label, word) for word, label in words.items())
    return Answers(Signature(TEXT, task, (Input("text", STRING),), labels))


BOTH = make_answers(BINARY, no=False, yes=True)
TEAMS = make_answers(MULTICLASS, billing="b", shipping="s", other="o")
TAGS = make_answers(MULTILABEL, red=0, green=1, blue=2)
PRICE = make_answers(REGRESSION)


@pytest.mark.parametrize(
    ("made", "prediction", "expected"),
    [
        (
            BOTH,
            Prediction(True, 0.5, [0.25, 0.75]),
            {
                "prediction": "yes",
                "label": True,
                "score": 0.5,
                "probability": 0.75,
                "probabilities": {"no": 0.25, "yes": 0.75},
            },
        ),
        (
            BOTH,
            Prediction(False, -0.5, [0.75, 0.25]),
            {
                "prediction": "no",
                "label": False,
                "score": -0.5,
                "probability": 0.25,
                "probabilities": {"no": 0.75, "yes": 0.25},
            },
        ),
        (
            TEAMS,
            Prediction("s", 2.0, [0.25, 0.5, 0.25]),
            {
                "prediction": "shipping",
                "label": "s",
                "score": 2.0,
                "probability": 0.5,
                "probabilities": {"billing": 0.25, "shipping": 0.5, "other": 0.25},
            },
        ),
        (
            TEAMS,
            Prediction("o"),
            {
                "prediction": "other",
                "label": "o",
                "score": None,
                "probability": None,
                "probabilities": None,
            },
        ),
        (
            TAGS,
            Prediction([0, 2], None, [0.5, 0.25, 0.75]),
            {
                "prediction": ["red", "blue"],
                "label": [0, 2],
                "score": None,
                "probability": None,
                "probabilities": {"red": 0.5, "green": 0.25, "blue": 0.75},
            },
        ),
        (PRICE, Prediction(213000.0), {"prediction": 213000.0}),
        (PRICE, Prediction(INFINITE), {"prediction": None}),
        (
            make_answers(CLUSTER, first=0, second=1),
            Prediction(1, None, [0.25, 0.75]),
            {
                "prediction": "second",
                "label": 1,
                "score": None,
                "probability": 0.75,
                "probabilities": {"first": 0.25, "second": 0.75},
            },
        ),
        (
            make_answers(OUTLIER, outlier=-1, inlier=1),
            Prediction(-1, -0.25),
            {
                "prediction": "outlier",
                "label": -1,
                "score": -0.25,
                "probability": None,
                "probabilities": None,
            },
        ),
        (
            TEAMS,
            Prediction("b", INFINITE, [UNKNOWN, 0.5, 0.25]),
            {
                "prediction": "billing",
                "label": "b",
                "score": None,
                "probability": None,
                "probabilities": {"billing": None, "shipping": 0.5, "other": 0.25},
            },
        ),
    ],
)
def test_an_answer_has_what_the_model_gives(
    made: Answers, prediction: Prediction, expected: dict[str, Any]
) -> None:
    """Words and labels, and null for what is unknown; alone with the model, in a list without."""
    alone = json.loads(made.one(prediction, MODEL))
    assert alone == {**expected, "model": MODEL}
    assert list(alone) == [*expected, "model"], "in this order"
    several = json.loads(made.many([prediction, prediction], MODEL))
    assert several == {"predictions": [expected, expected], "model": MODEL}


@pytest.mark.parametrize(
    ("made", "value", "expected"),
    [
        (BOTH, True, "yes"),
        (TAGS, [0, 2], "red, blue"),
        (TAGS, [], ""),
        (PRICE, 213000.0, "213000.0"),
        (PRICE, 1e22, "1e+22"),
        (PRICE, UNKNOWN, "null"),
    ],
)
def test_as_text_it_is_the_prediction_alone(made: Answers, value: Any, expected: str) -> None:
    """Words as they are, several of them with commas, and numbers as JSON has them."""
    assert made.plain(Prediction(value)) == expected


def test_words_may_be_of_any_script() -> None:
    """JSON is UTF-8: words are not escaped."""
    answered = make_answers(BINARY, ça=0, 好=1).one(Prediction(1, 1.0), MODEL)
    assert '"prediction": "好"' in answered


def test_an_answer_that_lambda_could_not_return_is_refused() -> None:
    """Classes times instances: up to the limit it is returned, and beyond it is 413 with advice."""
    words: dict[str, LabelValue] = {
        f"a class, the number {number}": number for number in range(400)
    }
    made = make_answers(MULTICLASS, **words)
    prediction = Prediction(3, 1.0, [0.0025] * 400)

    def size(count: int) -> int:
        """Return the bytes of an answer inside the JSON that a Lambda returns, without its quotes."""
        return len(json.dumps(made.many([prediction] * count, MODEL), ensure_ascii=False)) - 2

    most = MAX_BYTES // (size(2) - size(1))
    assert 100 < most < 1000
    assert size(most) <= MAX_BYTES
    with pytest.raises(PayloadTooLargeError, match="send fewer instances") as caught:
        made.many([prediction] * (most + 1), MODEL)
    assert caught.value.status == 413
    # An event of this size, as Lambda's client writes it, has to stay below 6 MB.
    assert MAX_BYTES < 6_000_000 - 100_000


def test_no_more_is_made_than_fits() -> None:
    """The rest of an answer that is too large is not even made, which would take memory."""
    made = []

    def predictions() -> Any:
        for number in range(1000):
            made.append(number)
            yield Prediction(0, 1.0, [0.5, 0.5])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "MAX_BYTES", 1000)
        with pytest.raises(PayloadTooLargeError):
            make_answers(BINARY, no=0, yes=1).many(predictions(), MODEL)
    assert len(made) < 20


numbers = st.floats() | st.none()


@given(
    st.sampled_from([(BOTH, 2), (TEAMS, 3), (TAGS, 3), (PRICE, 0)]),
    st.data(),
)
def test_any_numbers_become_json(answers_and_classes: tuple[Answers, int], data: Any) -> None:
    """NaN and infinities, which JSON does not have, are null wherever they come from."""
    made, classes = answers_and_classes
    values = {
        id(BOTH): st.booleans(),
        id(TEAMS): st.sampled_from("bso"),
        id(TAGS): st.lists(st.integers(0, 2)),
        id(PRICE): st.floats(),
    }
    each = st.none() | st.lists(st.floats(), min_size=classes, max_size=classes)
    value = data.draw(values[id(made)])
    prediction = Prediction(value, data.draw(numbers), data.draw(each) if classes else None)
    found = json.loads(made.one(prediction, MODEL), parse_constant=pytest.fail)
    assert "prediction" in found
    assert isinstance(made.plain(prediction), str)

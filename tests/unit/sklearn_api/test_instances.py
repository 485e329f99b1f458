"""Instances in requests, checked against the signature of a model."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_api.errors import BadRequestError, InvalidInstancesError, SklearnApiError
from sklearn_api.instances import Batch, InstanceReader
from sklearn_api.rows import rows_as_array
from sklearn_api.signature import (
    BINARY,
    BOOLEAN,
    INTEGER,
    NUMBER,
    REGRESSION,
    STRING,
    TABLE,
    TEXT,
    Input,
    Label,
    Signature,
)
from tests.helpers.stored import REVIEW_SIGNATURE

MOST = 5
LABELS = (Label(0, "no"), Label(1, "yes"))
INPUTS = (
    Input("age", INTEGER, nullable=False),
    Input("income", NUMBER),
    Input("city", STRING, objects=True),
    Input("member", BOOLEAN, objects=True),
    Input("plan", STRING, nullable=False, categories=("basic", "plus"), closed=True, objects=True),
    Input("rooms", NUMBER, categories=(1.0, 2.0), closed=True),
)
CUSTOMER = Signature(TABLE, BINARY, INPUTS, LABELS)
GOOD = {"age": 3, "plan": "plus"}
TEXTS = InstanceReader(REVIEW_SIGNATURE, {"movie_text": "review_text"}, most=MOST)
ROWS = InstanceReader(CUSTOMER, {"town": "city", "place": "city"}, most=MOST)


def refused(reader: InstanceReader, body: dict[str, Any]) -> InvalidInstancesError:
    """Return the error about a body."""
    with pytest.raises(InvalidInstancesError) as caught:
        reader.read(body)
    return caught.value


def mistake(body: dict[str, Any]) -> tuple[str | None, str]:
    """Return the field and the sentence of the only mistake in a customer."""
    (found,) = refused(ROWS, body).mistakes
    assert found.instance == 0
    return found.field, found.detail


def test_a_text_is_read_under_its_name_or_its_alias() -> None:
    """One instance of a text is an object with one string."""
    assert TEXTS.read({"review_text": "good"}) == Batch(["good"], many=False)
    assert TEXTS.read({"movie_text": "good"}) == Batch(["good"], many=False)


def test_many_instances_are_read_in_their_order() -> None:
    """A list may contain one instance or many; each names its fields as it likes."""
    body = {"instances": [{"review_text": "b"}, {"movie_text": "a"}]}
    assert TEXTS.read(body) == Batch(["b", "a"], many=True)
    assert TEXTS.read({"instances": [{"review_text": "a"}]}) == Batch(["a"], many=True)


def test_a_row_has_all_inputs() -> None:
    """What may be missing is None whether it was sent as null or left out."""
    row = {"age": 3, "income": 1.5, "city": "Ulm", "member": True, "plan": "plus", "rooms": 2}
    assert ROWS.read(row) == Batch([row], many=False)
    expected = {**GOOD, "income": None, "city": None, "member": None, "rooms": None}
    assert ROWS.read({"plan": "plus", "age": 3, "city": None}).instances == [expected]
    assert ROWS.read({**GOOD, "town": "Ulm"}).instances == [{**expected, "city": "Ulm"}]


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        ({}, "review_text", "the field 'review_text' is missing"),
        ({"movie_text": None}, "movie_text", "the field 'movie_text' must be a string, not null"),
        (
            {"review_text": 1},
            "review_text",
            "the field 'review_text' must be a string, not a number",
        ),
        ({"review_text": 1.5}, "review_text", "must be a string, not a number"),
        ({"review_text": True}, "review_text", "must be a string, not a boolean"),
        ({"review_text": []}, "review_text", "must be a string, not an array"),
        (
            {"movie_text": {}},
            "movie_text",
            "the field 'movie_text' must be a string, not an object",
        ),
        ({"review_text": ""}, "review_text", "the field 'review_text' cannot be empty"),
        ({"review_text": " \n\u2003"}, "review_text", "the field 'review_text' cannot be empty"),
        ({"movie_text": "a\ud800"}, "movie_text", "is not valid Unicode: it contains a lone surr"),
        ({"review_text": "a", "stars": 1}, "stars", "no such field; it has 'review_text'"),
        ({"text": "a"}, "review_text", "the field 'review_text' is missing; 'errors' lists all 2"),
        (
            {"movie_text": "a", "review_text": "a"},
            "movie_text",
            "the fields 'review_text' and 'movie_text' mean the same",
        ),
    ],
)
def test_what_is_wrong_with_a_text_is_said(body: dict[str, Any], field: str, detail: str) -> None:
    """The first mistake is the error's message, with the field as the client named it."""
    error = refused(TEXTS, body)
    assert error.status == 400
    assert error.field == field
    assert detail in str(error)


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("age", None, "must be a whole number, not null"),
        ("age", "3", "must be a whole number, not a string"),
        ("age", True, "must be a whole number, not a boolean"),
        ("age", 3.5, "must be a whole number"),
        ("age", 2**63, "is too large for a whole number of 64 bits"),
        ("age", -(2**63) - 1, "is too large for a whole number of 64 bits"),
        ("age", 1e300, "is too large for a whole number of 64 bits"),
        ("age", float("inf"), "is too large for a whole number of 64 bits"),
        ("income", "1", "must be a number, not a string"),
        ("income", False, "must be a number, not a boolean"),
        ("income", [1], "must be a number, not an array"),
        ("income", float("-inf"), "is too large for a number of 64 bits"),
        ("income", 10**400, "is too large for a number of 64 bits"),
        ("city", 1, "must be a string, not a number"),
        ("city", "\udfff", "is not valid Unicode: it contains a lone surrogate"),
        ("member", 1, "must be true or false, not a number"),
        ("member", "true", "must be true or false, not a string"),
        ("plan", "gold", 'must be one of "basic", "plus"'),
        ("plan", None, "must be a string, not null"),
        ("plan", {}, "must be a string, not an object"),
        ("rooms", 3, "must be one of 1.0, 2.0"),
        ("rooms", True, "must be a number, not a boolean"),
    ],
)
def test_a_value_of_another_type_is_refused(field: str, value: object, detail: str) -> None:
    """JSON's types are those of the signature: nothing is converted that could be a mistake."""
    assert mistake({**GOOD, field: value}) == (field, f"the field '{field}' {detail}")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("age", 3.0),
        ("age", -(2**63)),
        ("age", 2**63 - 1),
        ("income", 3),
        ("income", 2**64),
        ("income", -1e308),
        ("city", ""),
        ("city", "Ünye 🎬"),
        ("member", False),
        ("rooms", 1),
        ("rooms", None),
    ],
)
def test_a_value_that_fits_is_read(field: str, value: object) -> None:
    """JSON does not tell 3 from 3.0, and an empty string is a value of a table."""
    assert ROWS.read({**GOOD, field: value}).instances[0][field] == value


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"instances": []}, "must be a list of one or more objects"),
        ({"instances": None}, "must be a list of one or more objects"),
        ({"instances": {"0": GOOD}}, "must be a list of one or more objects"),
        ({"instances": [GOOD], "age": 3}, "put them into each instance"),
        ({"instances": [GOOD] * (MOST + 1)}, "contains 6 instances; send at most 5"),
    ],
)
def test_a_body_that_is_no_list_of_instances_is_refused(body: dict[str, Any], detail: str) -> None:
    """The error is about the whole body, so that there is no list of mistakes."""
    with pytest.raises(BadRequestError, match=detail) as caught:
        ROWS.read(body)
    assert caught.value.field == "instances"
    assert caught.value.mistakes == ()


def test_as_many_instances_as_allowed_are_read() -> None:
    """The limit itself is allowed."""
    assert len(ROWS.read({"instances": [GOOD] * MOST}).instances) == MOST


def test_mistakes_are_listed_by_instance_and_field() -> None:
    """All mistakes of all instances, and none about those that fit."""
    body = {"instances": [GOOD, {"age": "x", "when": 1}, 7, {**GOOD, "town": "a", "place": "b"}]}
    error = refused(ROWS, body)
    assert [(one.instance, one.field) for one in error.mistakes] == [
        (1, "age"),
        (1, "plan"),
        (1, "when"),
        (2, None),
        (3, "place"),
    ]
    details = [one.detail for one in error.mistakes]
    assert details[1] == "the field 'plan' is missing"
    assert details[3] == "the instance must be an object, not a number"
    assert details[4] == "the fields 'town' and 'place' mean the same"
    assert str(error) == (
        "instance 1: the field 'age' must be a whole number, not a string; 'errors' lists all 5 "
        "mistakes"
    )


def test_no_more_than_twenty_mistakes_are_listed() -> None:
    """A table of a thousand wrong rows is not answered with a thousand sentences."""
    reader = InstanceReader(CUSTOMER, most=1000)
    twenty = refused(reader, {"instances": [{}] * 10})
    assert len(twenty.mistakes) == 20
    assert "'errors' lists all 20 mistakes" in str(twenty)
    more = refused(reader, {"instances": [{}] * 11})
    assert more.mistakes == twenty.mistakes
    assert "'errors' lists 20 mistakes, but there are more" in str(more)
    assert len(refused(reader, {str(number): 1 for number in range(100_000)}).mistakes) == 20


def test_messages_do_not_repeat_what_the_client_sent() -> None:
    """Messages go to the log; only the list names an unknown field, shortened and as Unicode."""
    name, value = "secret" + "\ud800" + "x" * 500, "also secret"
    error = refused(ROWS, {name: value, "age": value, "member": value, "plan": value})
    assert not any("secret" in one.detail for one in error.mistakes)
    assert "secret" not in str(error)
    unknown = error.mistakes[-1].field
    assert unknown is not None
    assert unknown.startswith("secret?xxx")
    assert len(unknown) < 110


def test_names_and_categories_are_listed_up_to_ten() -> None:
    """A message about hundreds of columns or categories stays readable."""
    words = tuple(f"word {number}" for number in range(1000))
    inputs = [Input(f"column {number}", NUMBER) for number in range(12)]
    inputs.append(Input("word", STRING, categories=words, closed=True, objects=True))
    reader = InstanceReader(Signature(TABLE, REGRESSION, tuple(inputs)), most=1)
    known, unknown = refused(reader, {"word": "", "?": 0}).mistakes
    assert known.detail.endswith('"word 8", "word 9" and 990 more')
    assert unknown.detail.endswith("'column 8', 'column 9' and 3 more")


def test_an_input_may_be_called_instances() -> None:
    """A list is many instances, and any other value is that of the input."""
    signature = Signature(TABLE, REGRESSION, (Input("instances", NUMBER, nullable=False),))
    reader = InstanceReader(signature, most=5)
    assert reader.read({"instances": 3}) == Batch([{"instances": 3}], many=False)
    assert reader.read({"instances": [{"instances": 3}]}) == Batch([{"instances": 3}], many=True)
    assert refused(reader, {"instances": "3"}).mistakes[0].field == "instances"


def test_an_alias_never_hides_an_input() -> None:
    """A model with an input of this name, or without the other one, is served without the alias."""
    reader = InstanceReader(CUSTOMER, {"age": "income", "text": "review_text"}, most=1)
    assert reader.read(GOOD).instances[0]["income"] is None
    assert refused(reader, {**GOOD, "text": "a"}).mistakes[0].field == "text"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=()), max_size=5)
    | st.sampled_from(["basic", "plus", 2**63, 10**400, 1, 2.0]),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from([one.name for one in INPUTS] + ["town", "place", "instances"])
            | st.text(st.characters(exclude_categories=()), max_size=5),
            children,
            max_size=7,
        )
    ),
    max_leaves=20,
)
fitting = st.fixed_dictionaries(
    {
        "age": st.integers(-(2**63), 2**63 - 1) | st.integers(-1000, 1000).map(float),
        "plan": st.sampled_from(["basic", "plus"]),
    },
    optional={
        "income": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
        "town": st.none() | st.text(max_size=5),
        "member": st.none() | st.booleans(),
        "rooms": st.none() | st.sampled_from([1, 2.0]),
    },
)


@given(st.dictionaries(st.sampled_from(["instances", "age", "plan"]), json_values) | json_values)
def test_any_object_gives_instances_or_a_client_error(body: Any) -> None:
    """Whatever a client sends is read or is its mistake, and a mistake can be answered as JSON."""
    if not isinstance(body, dict):
        body = {"instances": [body]}
    for reader in (ROWS, TEXTS):
        try:
            batch = reader.read(body)
        except SklearnApiError as exc:
            assert exc.status == 400
            assert len(exc.mistakes) <= 20
            json.dumps([one._asdict() for one in exc.mistakes], ensure_ascii=False).encode()
        else:
            if reader is ROWS:
                rows_as_array(batch.instances, INPUTS)


@given(st.lists(fitting, min_size=1, max_size=MOST), st.data())
def test_instances_that_fit_are_read_and_one_that_does_not_is_found(
    rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Every row that fits is read as it is; one wrong value in it is named, and nothing else."""
    found = ROWS.read({"instances": rows}).instances
    assert rows_as_array(found, INPUTS).shape == (len(rows), len(INPUTS))
    for row, read in zip(rows, found, strict=True):
        assert all(read["city" if name == "town" else name] == row[name] for name in row)
    number = data.draw(st.integers(0, len(rows) - 1))
    field = data.draw(st.sampled_from(sorted(rows[number])))
    broken = [dict(row) for row in rows]
    broken[number][field] = data.draw(st.sampled_from([[], {}, [1], {"a": 1}]))
    (mistake,) = refused(ROWS, {"instances": broken}).mistakes
    assert (mistake.instance, mistake.field) == (number, field)


def test_a_text_may_have_any_of_its_own_names() -> None:
    """The reader takes its only field from the signature, whatever its name is."""
    signature = Signature(TEXT, BINARY, (Input("x y", STRING, nullable=False),), LABELS)
    assert InstanceReader(signature, most=1).read({"x y": "good"}).instances == ["good"]

"""Signatures, written and read."""

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_api.errors import ArtifactError
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

TABLE_OF_ALL = Signature(
    TABLE,
    BINARY,
    (
        Input("plan", STRING, True, ("basic", "plüs"), True, "basic", True, None),
        Input("tenure", NUMBER, example=3.0),
        Input("calls", INTEGER, nullable=False, example=2),
        Input("paperless", BOOLEAN, objects=True, categories=(True, False), example=True),
    ),
    (Label(False, "stays"), Label(True, "leaves")),
)
PRICE = Signature(TEXT, REGRESSION, (Input("text", STRING, False, objects=True),))


@pytest.mark.parametrize("signature", [TABLE_OF_ALL, PRICE], ids=lambda one: one.task)
def test_a_signature_survives_json(signature: Signature) -> None:
    """What is read back equals what was written, gaps of both kinds included."""
    found = Signature.from_json(signature.to_json())
    assert found.to_dict() == signature.to_dict()
    assert found._replace(inputs=()) == signature._replace(inputs=())
    for one, other in zip(found.inputs, signature.inputs, strict=True):
        assert one._replace(missing=None) == other._replace(missing=None)
        assert (one.missing is None) == (other.missing is None)
        assert one.missing is None or math.isnan(one.missing)


def test_equal_signatures_give_equal_bytes() -> None:
    """The digest of an artifact depends on the signature alone."""
    assert Signature.from_json(TABLE_OF_ALL.to_json()).to_json() == TABLE_OF_ALL.to_json()


def changed(path: tuple[str | int, ...], value: Any) -> bytes:
    values = TABLE_OF_ALL.to_dict()
    holder: Any = values
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return json.dumps(values).encode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("kind",), "image"),
        (("kind",), TEXT),
        (("task",), "ranking"),
        (("task",), REGRESSION),
        (("inputs",), []),
        (("inputs",), None),
        (("inputs", 0, "name"), ""),
        (("inputs", 0, "name"), 3),
        (("inputs", 1, "name"), "plan"),
        (("inputs", 0, "type"), "date"),
        (("inputs", 0, "nullable"), 1),
        (("inputs", 0, "missing"), "none"),
        (("labels",), []),
        (("labels", 0, "word"), "leaves"),
        (("labels", 0, "word"), None),
        (("labels", 0, "label"), [0]),
    ],
)
def test_what_could_not_serve_is_refused(path: tuple[str | int, ...], value: Any) -> None:
    """A signature with an unknown, missing or contradictory part is damage to the artifact."""
    with pytest.raises(ArtifactError, match=r"signature\.json is damaged"):
        Signature.from_json(changed(path, value))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"[]", b"null", b'"kind"'])
def test_what_is_no_signature_is_refused(content: bytes) -> None:
    """Bytes that are not a JSON object are refused, however they are broken."""
    with pytest.raises(ArtifactError, match=r"signature\.json"):
        Signature.from_json(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(
    path=st.sampled_from(
        [(key,) for key in TABLE_OF_ALL.to_dict()]
        + [("inputs", 0), ("labels", 1)]
        + [("inputs", 2, key) for key in TABLE_OF_ALL.to_dict()["inputs"][0]]
        + [("labels", 0, "label"), ("labels", 0, "word")]
    ),
    value=JSON,
)
def test_damage_never_raises_anything_else(path: tuple[str | int, ...], value: Any) -> None:
    """Whatever stands in place of a part, reading succeeds or raises `ArtifactError`."""
    with suppress(ArtifactError):
        Signature.from_json(changed(path, value))

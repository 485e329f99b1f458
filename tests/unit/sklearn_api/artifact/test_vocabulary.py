"""Vocabularies stored as text, with any characters."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sklearn_api.artifact.vocabulary import JSON, LINES, decode_terms
from sklearn_api.errors import ArtifactError
from training.artifact.members import encode_terms

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates as well


@given(terms=st.lists(ANY_TEXT, min_size=1))
@example(["a\nb"])
@example(["", ""])
@example(["\ud800"])
@example(["\x85", "\u2028", "\r", "\r\n", "\x0b\x0c\x1c\x1d\x1e"])
def test_terms_are_read_in_the_order_they_were_written(terms: list[str]) -> None:
    """Terms may be empty, and contain line ends of all kinds or half a surrogate pair."""
    ending, content = encode_terms(terms)
    assert decode_terms(f"vocabulary-0{ending}", content) == terms


def test_terms_without_a_line_feed_are_one_per_line() -> None:
    """A line feed in a term makes the vocabulary a JSON array; other line ends do not."""
    assert encode_terms(["café", "a\x85b", "\u2028"]) == (LINES, "café\na\x85b\n\u2028".encode())
    assert encode_terms(["a\nb", "c"]) == (JSON, b'["a\\nb", "c"]')


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vocabulary-0.txt", b"caf\xe9"),
        ("vocabulary-0.json", b"[1]"),
        ("vocabulary-0.json", b'{"a": 1}'),
        ("vocabulary-0.json", b"[" * 100_000),
    ],
)
def test_an_invalid_vocabulary_is_refused(name: str, content: bytes) -> None:
    """The error names the member."""
    with pytest.raises(ArtifactError, match=f"{name} is not a valid vocabulary"):
        decode_terms(name, content)

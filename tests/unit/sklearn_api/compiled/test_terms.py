"""Columns of terms, found in sorted texts, in lists, and by hashing."""

from array import array
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction import FeatureHasher
from sklearn.utils import murmurhash3_32

from sklearn_api.compiled import terms as module
from sklearn_api.compiled.terms import (
    EVERY,
    NONE,
    HashedTerms,
    ListedTerms,
    SortedTerms,
    murmur3,
)
from sklearn_api.errors import ArtifactError

LETTERS = st.text(st.sampled_from("ab \u00e9\U0001f600"), max_size=5)


def sorted_terms(terms: list[str]) -> SortedTerms:
    """Return what the compiler makes of sorted terms."""
    places, place = [], 0
    for number, term in enumerate(terms):
        if number % EVERY == 0:
            places.append(place)
        place += len(term.encode()) + 1
    return SortedTerms("\n".join(terms).encode(), places, len(terms))


@settings(deadline=None)
@given(
    terms=st.sets(LETTERS, min_size=1, max_size=300).map(sorted),
    asked=st.lists(LETTERS | st.text(max_size=3)),
)
def test_a_sorted_text_is_as_good_as_a_dict(terms: list[str], asked: list[str]) -> None:
    """Every term is found at its place, and nothing else."""
    found = sorted_terms(terms)
    for term in [*terms, *asked]:
        assert found[term] == (terms.index(term) if term in terms else NONE)


def test_a_line_feed_is_not_taken_for_the_end_of_a_term() -> None:
    """Two terms and a line feed between them are no term of a text that holds both."""
    for term in ("a\nb", "b\nc d", "b\nc", "\n"):
        assert sorted_terms(["a", "b", "c d"])[term] == NONE


@settings(deadline=None)
@given(terms=st.lists(st.text(max_size=3), unique=True), asked=st.text(max_size=3))
def test_a_list_may_hold_any_terms_in_any_order(terms: list[str], asked: str) -> None:
    """Also line feeds and halves of surrogate pairs."""
    found = ListedTerms(terms)
    assert [found[term] for term in terms] == list(range(len(terms)))
    assert asked in terms or found[asked] == NONE


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_the_hash_is_scikit_learns(text: str) -> None:
    """Columns and signs are those of `FeatureHasher`."""
    assert murmur3(text.encode()) == murmurhash3_32(text)
    expected = FeatureHasher(7, input_type="string").transform([[text]]).toarray()[0]
    columns, counts = HashedTerms(7, signed=True).count({text: 1})
    assert {columns[0]: counts[0]} == {
        column: value for column, value in enumerate(expected) if value
    }


def test_terms_that_share_a_column_are_added() -> None:
    """With signs, they may cancel each other out."""
    words = [str(number) for number in range(40)]
    expected = FeatureHasher(3, input_type="string").transform([words]).toarray()[0]
    columns, counts = HashedTerms(3, signed=True).count(Counter(words))
    assert dict(zip(columns, counts, strict=True)) == dict(enumerate(expected))


@pytest.mark.parametrize("whole", [0, 8])
def test_what_is_remembered_is_limited(monkeypatch: pytest.MonkeyPatch, whole: int) -> None:
    """Whoever sends ever new words does not fill the memory."""
    monkeypatch.setattr(module, "_MAX_CACHED", 10)
    monkeypatch.setattr(module, "_MAX_WHOLE", whole)
    found = sorted_terms(["a", "b"])
    for number in range(100):
        columns, numbers = found.count({str(number): 2, "b": 3})
        assert (list(columns), numbers) == ([NONE, 1], [2, 3])
        assert len(found) <= 10


def test_what_is_in_no_term_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terms that are known stay, unless they are too many themselves."""
    monkeypatch.setattr(module, "_MAX_CACHED", 10)
    monkeypatch.setattr(module, "_MAX_WHOLE", 4)
    found = sorted_terms(["a", "b", "c"])
    for number in range(100):
        found.count({"a": 1, str(number): 1})
        assert dict(found)["a"] == 0
        assert len(found) <= 10


def test_a_small_vocabulary_is_remembered_in_parts() -> None:
    """The second term of a part that is looked up brings the others with it; a third, nothing."""
    terms = [f"{number:03}" for number in range(3 * EVERY)]
    found = sorted_terms(terms)
    assert (found["070"], len(found)) == (70, 1)
    assert (found["080"], len(found)) == (80, EVERY)
    assert dict(found) == {terms[at]: at for at in range(EVERY, 2 * EVERY)}
    assert (found["080x"], len(found)) == (NONE, EVERY + 1)


def test_terms_that_are_not_text_are_refused() -> None:
    """A damaged vocabulary is an error at the latest when it is looked up."""
    text = b"a\nb\xff\nc"
    found = SortedTerms(text, [0], 3)
    with pytest.raises(ArtifactError, match="UTF-8"):
        found.count({"a": 1, "c": 1})


@pytest.mark.parametrize(
    "places", [[], [1], [0, 2, 4], [0, 10**6], [4 * EVERY, 0], [0, 4 * EVERY + 1]]
)
def test_places_that_are_not_those_of_the_text_are_refused(places: list[int]) -> None:
    """A damaged index is an error when the model is read."""
    text = "\n".join(sorted(f"{number:03}" for number in range(EVERY + 1))).encode()
    assert SortedTerms(text, array("I", [0, 4 * EVERY]), EVERY + 1)["064"] == EVERY
    with pytest.raises(ArtifactError, match=r"offsets .* are wrong"):
        SortedTerms(text, places, EVERY + 1)

"""Columns of terms, found in sorted text, in lists, and by hashing."""

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
    """Return sorted terms as the compiler stores them."""
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
def test_terms_are_found_in_a_sorted_text(terms: list[str], asked: list[str]) -> None:
    """Every term in the text has its column, and no other term has one."""
    found = sorted_terms(terms)
    for term in [*terms, *asked]:
        assert found[term] == (terms.index(term) if term in terms else NONE)


def test_a_line_feed_does_not_end_a_term() -> None:
    """Two neighbouring terms joined by a line feed are not found as one term."""
    for term in ("a\nb", "b\nc d", "b\nc", "\n"):
        assert sorted_terms(["a", "b", "c d"])[term] == NONE


@settings(deadline=None)
@given(terms=st.lists(st.text(max_size=3), unique=True), asked=st.text(max_size=3))
def test_a_list_may_contain_any_terms_in_any_order(terms: list[str], asked: str) -> None:
    """Terms with line feeds and halves of surrogate pairs are found as well."""
    found = ListedTerms(terms)
    assert [found[term] for term in terms] == list(range(len(terms)))
    assert asked in terms or found[asked] == NONE


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_hashes_equal_those_of_scikit_learn(text: str) -> None:
    """Columns and signs are those that `FeatureHasher` computes."""
    assert murmur3(text.encode()) == murmurhash3_32(text)
    expected = FeatureHasher(7, input_type="string").transform([[text]]).toarray()[0]
    columns, counts = HashedTerms(7, signed=True).count({text: 1})
    assert {columns[0]: counts[0]} == {
        column: value for column, value in enumerate(expected) if value
    }


def test_counts_of_terms_with_the_same_column_are_added() -> None:
    """With signs, they may cancel each other out."""
    words = [str(number) for number in range(40)]
    expected = FeatureHasher(3, input_type="string").transform([words]).toarray()[0]
    columns, counts = HashedTerms(3, signed=True).count(Counter(words))
    assert dict(zip(columns, counts, strict=True)) == dict(enumerate(expected))


@pytest.mark.parametrize("whole", [0, 8])
def test_the_cache_is_limited(monkeypatch: pytest.MonkeyPatch, whole: int) -> None:
    """A client that keeps sending new words does not fill the memory."""
    monkeypatch.setattr(module, "_MAX_CACHED", 10)
    monkeypatch.setattr(module, "_MAX_WHOLE", whole)
    found = sorted_terms(["a", "b"])
    for number in range(100):
        columns, numbers = found.count({str(number): 2, "b": 3})
        assert (list(columns), numbers) == ([NONE, 1], [2, 3])
        assert len(found) <= 10


def test_unknown_terms_are_dropped_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Known terms stay in the cache, unless they are too many themselves."""
    monkeypatch.setattr(module, "_MAX_CACHED", 10)
    monkeypatch.setattr(module, "_MAX_WHOLE", 4)
    found = sorted_terms(["a", "b", "c"])
    for number in range(100):
        found.count({"a": 1, str(number): 1})
        assert dict(found)["a"] == 0
        assert len(found) <= 10


def test_a_small_vocabulary_is_cached_in_blocks() -> None:
    """The second look-up in a block caches the whole block; a third adds only its own term."""
    terms = [f"{number:03}" for number in range(3 * EVERY)]
    found = sorted_terms(terms)
    assert (found["070"], len(found)) == (70, 1)
    assert (found["080"], len(found)) == (80, EVERY)
    assert dict(found) == {terms[at]: at for at in range(EVERY, 2 * EVERY)}
    assert (found["080x"], len(found)) == (NONE, EVERY + 1)


def test_terms_that_are_not_utf_8_are_refused() -> None:
    """A damaged vocabulary is an error, at the latest when a term is looked up."""
    text = b"a\nb\xff\nc"
    found = SortedTerms(text, [0], 3)
    with pytest.raises(ArtifactError, match="UTF-8"):
        found.count({"a": 1, "c": 1})


@pytest.mark.parametrize(
    "places", [[], [1], [0, 2, 4], [0, 10**6], [4 * EVERY, 0], [0, 4 * EVERY + 1]]
)
def test_offsets_that_do_not_belong_to_the_text_are_refused(places: list[int]) -> None:
    """Damaged offsets are an error when the model is loaded."""
    text = "\n".join(sorted(f"{number:03}" for number in range(EVERY + 1))).encode()
    assert SortedTerms(text, array("I", [0, 4 * EVERY]), EVERY + 1)["064"] == EVERY
    with pytest.raises(ArtifactError, match=r"offsets .* are wrong"):
        SortedTerms(text, places, EVERY + 1)

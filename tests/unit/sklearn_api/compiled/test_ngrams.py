"""N-grams found by the numbers of their words, with the same result as looking up each one."""

from array import array
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_api.artifact.archive import Archive
from sklearn_api.compiled.ngrams import NgramTerms
from sklearn_api.compiled.plan import PlanReader
from sklearn_api.compiled.terms import NONE, SortedTerms
from sklearn_api.errors import ArtifactError
from training.artifact.compiler import _Compiler
from training.artifact.members import write_archive

TOKENS = ["a", "b", "c", "d", "", " ", "a b", "\n", "\ud800", "\u00e9"]
TERMS = st.sets(
    st.lists(st.sampled_from(["a", "b", "c", "", "\u00e9"]), min_size=1, max_size=5).map(" ".join),
    min_size=1,
    max_size=60,
).map(sorted)


def ngram_terms(terms: list[str]) -> NgramTerms:
    """Return sorted terms as they are written to an artifact and read back."""
    compiler = _Compiler({})
    plan = compiler._ngrams(terms)
    assert plan is not None
    archive = Archive(write_archive(compiler._added), 10**9)
    found = PlanReader(archive)._terms(plan, len(terms))
    assert isinstance(found, NgramTerms)
    return found


@settings(deadline=None)
@given(
    terms=TERMS,
    tokens=st.lists(st.sampled_from(TOKENS), max_size=12),
    lengths=st.sampled_from([(1, 1), (1, 2), (2, 2), (2, 4), (1, 4), (3, 3), (1, 9)]),
)
def test_all_ngrams_of_a_text_are_found(
    terms: list[str], tokens: list[str], lengths: tuple[int, int]
) -> None:
    """Each term is counted as often as it occurs among the n-grams, and nothing else is."""
    columns, numbers = ngram_terms(terms).count_ngrams(tokens, *lengths)
    found = {at: number for at, number in zip(columns, numbers, strict=True) if at != NONE}
    grams = Counter(
        " ".join(tokens[at : at + length])
        for length in range(lengths[0], lengths[1] + 1)
        for at in range(len(tokens) - length + 1)
    )
    assert found == {at: grams[term] for at, term in enumerate(terms) if term in grams}


def test_terms_of_more_than_65536_words_are_found() -> None:
    """Word numbers may need more than two bytes, and terms may differ in only one word."""
    words = [f"w{number:05}" for number in range(70_000)]
    terms = sorted([*words[::2], *(f"{word} {word[::-1]} x" for word in words[:1000])])
    found = ngram_terms(terms)
    for column in (0, 1, 1000, len(terms) - 1):
        columns, numbers = found.count_ngrams(terms[column].split(" "), 1, 3)
        assert dict(zip(columns, numbers, strict=True))[column] == 1
    assert found.count_ngrams(["w00001", "10000w", "y"], 1, 3) == ([], [])


@pytest.mark.parametrize("terms", [["a", "a\tb", "a b"], [" ".join("abcdefghi")]])
def test_terms_not_sorted_by_words_or_too_long_are_stored_as_text(terms: list[str]) -> None:
    """A character below the space changes the order; nine words are more than are numbered."""
    assert terms == sorted(terms)
    compiler = _Compiler({})
    assert compiler._ngrams(terms) is None
    plan = compiler._terms({term: at for at, term in enumerate(terms)}, ngrams=True)
    assert plan["kind"] == "sorted"


WORDS = SortedTerms(b"a\nb", [0], 2)


@pytest.mark.parametrize(
    ("starts", "following"),
    [
        ([0, 1], [[0, 0]]),
        ([0, 1, 3], [[0, 0]]),
        ([0, 1, 2], [[0]]),
        ([0, 1, 2], [[0, 0], [0, 0, 0]]),
    ],
)
def test_tables_that_do_not_fit_each_other_are_refused(
    starts: list[int], following: list[list[int]]
) -> None:
    """A damaged index is an error when the model is loaded."""
    with pytest.raises(ArtifactError, match=r"than it says|where it says"):
        NgramTerms(WORDS, starts, [array("H", numbers) for numbers in following], 2)

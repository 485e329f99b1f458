"""Columns of n-grams of words, found by the numbers of the words.

Most n-grams of a text are in no vocabulary, and they differ from text to text, so remembering them
would not help. Instead, each word has a number, and each term is a row of numbers. The rows are
sorted: terms that begin with the same words are neighbours, and their next words are sorted too. A
binary search among these finds those that continue with a given word, and no n-gram is ever built
as a string.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

from sklearn_api.compiled.terms import NONE, Counts, SortedTerms, Terms, picked
from sklearn_api.errors import ArtifactError


class NgramTerms(Terms):
    """Terms of one or more words, with a space between words.

    Parameters
    ----------
    words : SortedTerms
        All words of all terms; the number of a word is its column here plus 1.
    starts : sequence of int
        For each number from 1 on, the column of the first term whose first word has that number or
        a greater one; and at the end the number of terms.
    following : sequence of array of int
        For the second word of the terms, the third and so on: its number by the column of the term,
        or 0 if the term has no such word.
    count : int
        Number of terms.

    Raises
    ------
    ArtifactError
        These do not fit one another.
    """

    def __init__(
        self,
        words: SortedTerms,
        starts: Sequence[int],
        following: "Sequence[array[int]]",
        count: int,
    ) -> None:
        super().__init__()
        if len(starts) != words.count_terms + 1 or max(starts) > count:
            raise ArtifactError("the artifact's words do not begin terms where it says")
        if any(len(numbers) != count for numbers in following):
            raise ArtifactError("the artifact's terms have fewer or more words than it says")
        self._words = words
        self._starts = starts
        # One number more than terms, for the position behind the last term. Nothing follows the
        # last word of the longest terms.
        for numbers in following:
            numbers.append(0)
        self._following: list[Sequence[int]] = [*following, bytes(count + 1)]

    def count_ngrams(self, tokens: list[str], shortest: int, longest: int) -> Counts:
        """Return the columns of n-grams and how often each occurs; see `Terms`."""
        if " " in "".join(tokens):  # the end of a token would be ambiguous
            return super().count_ngrams(tokens, shortest, longest)
        words = list(map(self._words.__getitem__, tokens))
        # A match is a range of terms that begin with an n-gram, and the index of the next token. A
        # word that is in no term, `NONE`, has an empty range: its start is behind its end.
        matches = list(
            zip(
                picked(self._starts, words),
                picked(self._starts, [word + 1 for word in words]),
                range(1, len(tokens) + 1),
                strict=True,
            )
        )
        found: list[int] = []
        longest = min(longest, len(self._following))
        for length in range(1, longest + 1):
            following = self._following[length - 1]
            if length >= shortest:
                # If a term ends with the n-gram, it is the first in the range.
                found += [low for low, high, _ in matches if low < high and not following[low]]
            if length < longest:
                matches = _extended(matches, words, following)
        counts = Counter(found)
        return list(counts), list(counts.values())

    def _find(self, term: str) -> int:
        words = [self._words[word] for word in term.split(" ")]
        if NONE in words or len(words) > len(self._following):
            return NONE
        low, high = self._starts[words[0]], self._starts[words[0] + 1]
        for word, numbers in zip(words[1:], self._following, strict=False):
            low, high = (
                bisect_left(numbers, word + 1, low, high),
                bisect_right(numbers, word + 1, low, high),
            )
        return low if low < high and not self._following[len(words) - 1][low] else NONE


Match = tuple[int, int, int]
"""First and last (exclusive) term of a range, and the index of the token that follows."""


def _extended(matches: list[Match], words: Sequence[int], following: Sequence[int]) -> list[Match]:
    """Return the matches that are one word longer.

    Parameters
    ----------
    matches : list of Match
        All of one length.
    words : sequence of int
        Column of each token's word.
    following : sequence of int
        Number of each term's next word.
    """
    extended = []
    end = len(words)
    for low, high, at in matches:
        if at == end or low >= high:
            continue
        number = words[at] + 1
        if not number:  # the word is in no term
            continue
        first = bisect_left(following, number, low, high)
        if first == high or following[first] != number:
            continue
        last = first + 1  # Most ranges hold a single term.
        if following[last] == number:
            last = bisect_right(following, number, last, high)
        extended.append((first, last, at + 1))
    return extended

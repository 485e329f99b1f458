"""Columns of n-grams of words, found by the numbers of the words.

Most n-grams of a text are in no vocabulary, and ever new ones, so that it would not help to
remember them. Here each word has a number, and the terms stand as rows of numbers, sorted: terms
that begin with the same words are neighbours, and the next words of these neighbours are sorted.
Which of them go on with a word is a binary search, and no n-gram is ever made as a text.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

from sklearn_api.errors import ArtifactError
from sklearn_api.terms import NONE, Counts, SortedTerms, Terms, picked


class RunTerms(Terms):
    """Terms of one word or more, with a space between words.

    Parameters
    ----------
    words : SortedTerms
        All words of all terms; the number of a word is its column here, and 1 more.
    starts : sequence of int
        The column of the first term that begins with a word of a number or a greater one, for each
        number from 1 on; and at the end the number of terms.
    following : sequence of array of int
        For the second word of a term, the third and so on: its number, by the column of the term,
        and 0 where the term has no such word.
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
            raise ArtifactError("the artifact's words do not begin terms as it says")
        if any(len(numbers) != count for numbers in following):
            raise ArtifactError("the artifact's terms have not as many words as it says")
        self._words = words
        self._starts = starts
        # One more than there are terms, for the place behind the last one. What follows the last
        # word of the longest terms is nothing.
        for numbers in following:
            numbers.append(0)
        self._following: list[Sequence[int]] = [*following, bytes(count + 1)]

    def count_runs(self, tokens: list[str], shortest: int, longest: int) -> Counts:
        """Return the columns of n-grams, and how often each of them occurs; see `Terms`."""
        if " " in "".join(tokens):  # where one of them ends cannot be told
            return super().count_runs(tokens, shortest, longest)
        words = list(map(self._words.__getitem__, tokens))
        starts, end = self._starts, len(tokens)
        first = picked(starts, words)
        last = picked(starts, [word + 1 for word in words])
        # Where the terms stand that begin with an n-gram, and the place of the word that follows.
        # Of a word that is in no term, `NONE`, the first stands behind all others, and the last
        # before them.
        reached = list(zip(first, last, range(1, end + 1), strict=True))
        found: list[int] = []
        longest = min(longest, len(self._following))
        for length in range(1, longest + 1):
            numbers = self._following[length - 1]
            if length >= shortest:
                # The term that ends with the n-gram, if there is one, is the first of them.
                found += [low for low, high, _ in reached if low < high and not numbers[low]]
            if length == longest:
                break
            reached = [
                # Most often it is one term that goes on so.
                (low, _end(numbers, number, low, high), at + 1)
                for before, high, at in reached
                if at < end
                and before < high
                and (number := words[at] + 1)
                and (low := bisect_left(numbers, number, before, high)) < high
                and numbers[low] == number
            ]
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


def _end(numbers: Sequence[int], number: int, low: int, high: int) -> int:
    """Return where a number ends that stands at `low`."""
    if numbers[low + 1] != number:
        return low + 1
    return bisect_right(numbers, number, low + 1, high)

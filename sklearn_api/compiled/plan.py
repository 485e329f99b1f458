"""Reads the plan of a compiled model, which `model.py` describes, and the files that it names.

Terms are of four kinds:

======= =========================================================================================
sorted  the ``file`` of a vocabulary and the ``places`` of every 64th term in it (`SortedTerms`)
runs    n-grams: the sorted ``words``, and for each term the numbers of its words (`NgramTerms`)
listed  the ``file`` of a vocabulary in any order (`ListedTerms`)
hashed  no file; ``signed`` says whether half of the terms count negatively (`HashedTerms`)
======= =========================================================================================
"""

from array import array
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, TypeVar

from sklearn_api.artifact.archive import Archive
from sklearn_api.compiled.analyzers import (
    Analyzer,
    char_analyzer,
    inner_char_analyzer,
    preprocessor,
    word_analyzer,
)
from sklearn_api.compiled.ngrams import NgramTerms
from sklearn_api.compiled.scoring import Part, Scorer, Weighing
from sklearn_api.compiled.terms import EVERY, HashedTerms, ListedTerms, SortedTerms, Terms
from sklearn_api.errors import ArtifactError

NGRAMS = "runs"
"""How artifacts of format 3 name the terms of n-grams."""

N = TypeVar("N", int, float)


class PlanReader:
    """Constructs the objects that a plan describes.

    Parameters
    ----------
    archive : Archive
        Holds the members that the plan names.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def numbers(
        self, plan: dict[str, Any]
    ) -> tuple[list[list[Weighing]], list[Weighing], list[Scorer]]:
        """Return the weighings of each part, those of all parts, and the scorers."""
        columns = plan["columns"]
        return (
            [self._weighings(part["weighings"], part["columns"]) for part in plan["parts"]],
            self._weighings(plan["weighings"], columns),
            [self._scorer(one, columns) for one in plan["scorers"]],
        )

    def analyzers(self, parts: list[dict[str, Any]]) -> list[Analyzer]:
        """Return the analyzer of each part, which holds the part's terms."""
        return [self._analyzer(part) for part in parts]

    def parts(
        self,
        plan: dict[str, Any],
        analyzers: Iterable[Analyzer],
        weighings: Iterable[list[Weighing]],
    ) -> Iterator[Part]:
        """Yield the parts, given their analyzers and weighings."""
        first = 0
        for part, analyze, weighed in zip(plan["parts"], analyzers, weighings, strict=True):
            yield Part(
                preprocess=preprocessor(part["lowercase"], part["accents"]),
                analyze=analyze,
                binary=bool(part["binary"]),
                weighings=weighed,
                first=first,
                scale=float(part["scale"]),
            )
            first += part["columns"]
        if first != plan["columns"] or not plan["parts"]:
            raise _damaged("its parts have fewer or more columns than it says")

    def _analyzer(self, plan: dict[str, Any]) -> Analyzer:
        shortest, longest = (int(length) for length in plan["ngrams"])
        terms = self._terms(plan["terms"], plan["columns"])
        if plan["analyzer"] == "word":
            words = plan["stop_words"]
            stop_words = None if words is None else frozenset(words)
            return word_analyzer(terms, plan["pattern"], stop_words, shortest, longest)
        make = {"char": char_analyzer, "char_wb": inner_char_analyzer}[plan["analyzer"]]
        return make(terms, shortest, longest)

    def _terms(self, plan: dict[str, Any], count: int) -> Terms:
        if plan["kind"] == "hashed":
            return HashedTerms(count, plan["signed"])
        if plan["kind"] == "sorted":
            return self._sorted(plan, count)
        if plan["kind"] == NGRAMS:
            return NgramTerms(
                self._sorted(plan["words"], plan["words"]["columns"]),
                self._numbers(plan["starts"], 4, plan["words"]["columns"] + 1),
                [self._numbers(name, plan["bytes"], count) for name in plan["following"]],
                count,
            )
        if plan["kind"] != "listed":
            raise _damaged("its terms are of an unknown kind")
        from sklearn_api.artifact.vocabulary import decode_terms

        terms = decode_terms(plan["file"], self._archive.read(plan["file"]))
        if len(terms) != count:
            raise _damaged("its vocabulary has fewer or more terms than it says")
        return ListedTerms(terms)

    def _sorted(self, plan: dict[str, Any], count: int) -> SortedTerms:
        text = self._archive.read(plan["file"])
        return SortedTerms(text, self._numbers(plan["places"], 4, -(-count // EVERY)), count)

    def _numbers(self, name: str, size: int, count: int) -> "array[int]":
        """Return whole numbers of 2 or 4 bytes."""
        if self._archive.size(name) != size * count:
            raise _damaged(f"{name} has fewer or more numbers than it says")
        return _filled(array({2: "H", 4: "I"}[size], [0]) * count, self._archive.pieces(name))

    def _weighings(self, plans: list[dict[str, Any]], columns: int) -> list[Weighing]:
        made = []
        for plan in plans:
            idf = None
            if plan["idf"] is not None:
                idf = self._floats(plan["idf"], columns)
                idf.append(0.0)  # the factor of `NONE`
            if plan["norm"] not in (None, "l1", "l2"):
                raise _damaged("one of its norms is unknown")
            made.append(Weighing(plan["sublinear"], idf, plan["norm"]))
        return made

    def _scorer(self, plan: dict[str, Any], columns: int) -> Scorer:
        intercepts = [float(one) for one in plan["intercepts"]]
        sigmoids = [(float(slope), float(at)) for slope, at in plan["sigmoids"]]
        classes = len(intercepts)
        if sigmoids and len(sigmoids) != classes:
            raise _damaged("it has fewer or more sigmoids than scores")
        values = self._floats(plan["coefficients"], classes * columns)
        if classes == 1:
            return Scorer([values], intercepts, sigmoids)
        view = memoryview(values)
        if plan["by_column"]:
            rows = [view[number::classes] for number in range(classes)]
        else:
            rows = [view[number * columns :][:columns] for number in range(classes)]
        return Scorer(rows, intercepts, sigmoids)

    def _floats(self, name: str, count: int) -> "array[float]":
        """Return the numbers of an ``.npy`` file in the order of the file.

        Both it and the processors of Lambda are little-endian.
        """
        pieces = self._archive.pieces(name)
        first = memoryview(next(pieces, b""))
        start = 10 + int.from_bytes(first[8:10], "little")
        header = bytes(first[:start])
        if not header.startswith(b"\x93NUMPY\x01\x00") or b"'descr': '<f8'" not in header:
            raise _damaged(f"{name} is not an array of floats")
        if self._archive.size(name) != start + 8 * count:
            raise _damaged(f"{name} has fewer or more numbers than there are columns")
        return _filled(array("d", [0.0]) * count, chain((first[start:],), pieces))


def _filled(numbers: "array[N]", pieces: Iterable[bytes | memoryview]) -> "array[N]":
    """Overwrite numbers with bytes of the same size; quicker than appending piece by piece."""
    at, target = 0, memoryview(numbers).cast("B")
    for piece in pieces:
        target[at : at + len(piece)] = piece
        at += len(piece)
    return numbers


def read_labels(values: list[Any]) -> list[int | str]:
    """Return the labels of the classes, either all integers or all strings."""
    if {type(value) for value in values} not in ({int}, {str}):
        raise _damaged("its labels are neither all integers nor all strings")
    return values


def _damaged(reason: str) -> ArtifactError:
    return ArtifactError(f"the artifact's compiled form is damaged: {reason}")

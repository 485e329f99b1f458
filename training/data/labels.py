"""Labels: words or whole numbers, as they were read."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Label = str | int | float

_JOINING = "|;,"
_WHOLE = re.compile(r"(0|-?[1-9][0-9]{0,14})(\.0)?")  # not 007, which is a word


@dataclass(frozen=True)
class Labels:
    """The label of each row.

    Attributes
    ----------
    values : list of str, int or float
        Shape ``(n,)``. All of them are words, or all of them are numbers.
    counts : dict
        The distinct labels in ascending order, and how many rows have each.
    """

    values: list[Label]
    counts: dict[Label, int]

    @property
    def classes(self) -> list[Label]:
        """The distinct labels, in ascending order."""
        return list(self.counts)


def labels_as_read(values: Iterable[Any]) -> Labels:
    """Return labels as words or as numbers.

    They are numbers where all of them are written as whole numbers, such as ``1`` or ``1.0``, or
    where the file has numbers; otherwise they are words, without blanks around them, as spelled in
    the file.

    Parameters
    ----------
    values : iterable of str, int, float or bool
        Shape ``(n,)``, without missing ones.
    """
    read = list(values)
    known: dict[Any, Label] = {}
    for value in read:
        key = (type(value), value)
        if key not in known:
            known[key] = _word_or_number(value)
    if any(isinstance(label, str) for label in known.values()):
        known = {(kind, value): str(value).strip() for kind, value in known}
    labels = [known[type(value), value] for value in read]
    counts: Counter[Any] = Counter(labels)
    return Labels(labels, {label: counts[label] for label in sorted(counts)})


def joined_by(labels: Sequence[Label]) -> str | None:
    """Return the character that joins several labels in one value, None if there is none.

    Parameters
    ----------
    labels : sequence
        Distinct labels, such as ``access|billing``, ``billing`` and ``billing|network``. They are
        joined where parts of them occur in more than one of them.
    """
    words = [label for label in labels if isinstance(label, str)]
    for character in _JOINING:
        parts = [{part.strip() for part in word.split(character)} - {""} for word in words]
        joined = [found for found in parts if len(found) > 1]
        times = Counter(part for found in parts for part in found)
        if any(times[part] > 1 for found in joined for part in found):
            return character
    return None


def _word_or_number(value: Any) -> Label:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return int(value) if value == value // 1 and abs(value) < 2**53 else value
    word = str(value).strip()
    return int(word.removesuffix(".0")) if _WHOLE.fullmatch(word) else word

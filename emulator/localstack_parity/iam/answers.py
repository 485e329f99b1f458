"""Yes, no, or not understood: logic in which a doubt is never taken for a yes or a no."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Unclear:
    """Neither true nor false; says why."""

    reason: str

    def __bool__(self) -> bool:
        raise TypeError("an answer that is not clear has no truth value")


Answer = bool | Unclear


def every(answers: Iterable[Answer]) -> Answer:
    """Return False if one is False, else the first that is not clear, else True. Lazy."""
    doubt: Unclear | None = None
    for answer in answers:
        if isinstance(answer, Unclear):
            if doubt is None:
                doubt = answer
        elif not answer:
            return False
    return True if doubt is None else doubt


def some(answers: Iterable[Answer]) -> Answer:
    """Return True if one is True, else the first that is not clear, else False. Lazy."""
    doubt: Unclear | None = None
    for answer in answers:
        if isinstance(answer, Unclear):
            if doubt is None:
                doubt = answer
        elif answer:
            return True
    return False if doubt is None else doubt


def negation(answer: Answer) -> Answer:
    """Return the opposite; what is not clear stays so."""
    return answer if isinstance(answer, Unclear) else not answer

"""Three-valued logic: yes, no or unclear. An unclear answer never counts as a yes or a no."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Unclear:
    """An answer that is neither true nor false, and the reason."""

    reason: str

    def __bool__(self) -> bool:
        raise TypeError(f"an unclear answer has no truth value: {self.reason}")


Answer = bool | Unclear


def every(answers: Iterable[Answer]) -> Answer:
    """Return False if any answer is False, else the first unclear one, else True. Lazy."""
    doubt: Unclear | None = None
    for answer in answers:
        if isinstance(answer, Unclear):
            if doubt is None:
                doubt = answer
        elif not answer:
            return False
    return True if doubt is None else doubt


def some(answers: Iterable[Answer]) -> Answer:
    """Return True if any answer is True, else the first unclear one, else False. Lazy."""
    doubt: Unclear | None = None
    for answer in answers:
        if isinstance(answer, Unclear):
            if doubt is None:
                doubt = answer
        elif answer:
            return True
    return False if doubt is None else doubt


def negation(answer: Answer) -> Answer:
    """Return the opposite answer; an unclear one stays unclear."""
    return answer if isinstance(answer, Unclear) else not answer

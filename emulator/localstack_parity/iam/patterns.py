"""Wildcards and policy variables: how a string in a policy matches many values.

Wildcards: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
Variables: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from localstack_parity.iam.answers import Answer, Unclear

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_WITH_DEFAULT = re.compile(r"([^,]+?)\s*,\s*'([^']*)'")
_ARN_SEGMENTS = 6


@dataclass(frozen=True)
class Context:
    """The condition keys of a request.

    Attributes
    ----------
    values : mapping
        Values by key in lower case: on AWS, keys are case-insensitive. None means that the key is
        known to be absent. A key that is missing from the mapping may have a value on AWS, which
        the emulator does not know.
    families : tuple of str
        Prefixes of keys, such as ``aws:principaltag/``, whose keys are all known: those missing
        from `values` are absent.
    """

    values: Mapping[str, str | None]
    families: tuple[str, ...] = field(default=())

    def with_values(self, values: Mapping[str, str | None]) -> "Context":
        """Return a context with additional keys."""
        return Context({**self.values, **values}, self.families)

    def get(self, key: str) -> str | Unclear | None:
        """Return a key's value, None if it is absent, or `Unclear` if it is not known."""
        name = key.lower()
        if name in self.values:
            return self.values[name]
        if name.startswith(self.families):
            return None
        return Unclear(f"the condition key {key}")


@dataclass(frozen=True)
class Text:
    """A string of a policy, with its variables filled in.

    Attributes
    ----------
    parts : tuple of str
        Alternates between text of the policy, in which ``*`` and ``?`` are wildcards, and values
        of variables, in which they are not.
    """

    parts: tuple[str, ...]

    def literal(self) -> str:
        """Return the string itself, in which nothing is a wildcard."""
        return "".join(self.parts)

    def matches(self, value: str) -> bool:
        """Match a plain string: ``*`` matches any text, ``?`` any character."""
        return _expression(self.parts, False).fullmatch(value) is not None

    def matches_arn(self, arn: str) -> bool:
        """Match an ARN: wildcards stay within a segment, except a ``*`` at a segment's end."""
        return _expression(self.parts, True).fullmatch(arn) is not None

    def matches_arn_segments(self, arn: str) -> Answer:
        """Match an ARN as the ARN operators do: each of the six segments separately."""
        if self.parts == ("*",):
            return True
        patterns, segments = self._segments(), arn.split(":", _ARN_SEGMENTS - 1)
        if len(patterns) != _ARN_SEGMENTS:
            return Unclear(f"the value {self.literal()!r}, which is not an ARN")
        if len(segments) != _ARN_SEGMENTS:
            return False
        return all(
            _expression(pattern, False).fullmatch(segment) is not None
            for pattern, segment in zip(patterns, segments, strict=True)
        )

    def _segments(self) -> list[tuple[str, ...]]:
        """Split at the first five colons; within each segment the parts alternate as before."""
        segments = [[""]]
        for number, part in enumerate(self.parts):
            for position, piece in enumerate(part.split(":", _ARN_SEGMENTS - len(segments))):
                if position:
                    segments.append([""])
                if len(segments[-1]) % 2 == number % 2:
                    segments[-1].append(piece)
                else:
                    segments[-1][-1] += piece
        return [tuple(segment) for segment in segments]


def fill(text: str, context: Context | None) -> Text | Unclear | None:
    """Replace the variables ``${...}`` in a string of a policy by their values.

    Parameters
    ----------
    text : str
        The string.
    context : Context or None
        The values; None if the policy's version has no variables.

    Returns
    -------
    Text, Unclear or None
        None if a variable has neither a value nor a default: the string then matches nothing.
    """
    if context is None or "${" not in text:
        return Text((text,))
    parts: list[str] = []
    position = 0
    for found in _VARIABLE.finditer(text):
        value = _value(found.group(1), context)
        if value is None or isinstance(value, Unclear):
            return value
        parts += [text[position : found.start()], value]
        position = found.end()
    return Text((*parts, text[position:]))


def _value(variable: str, context: Context) -> str | Unclear | None:
    if variable in ("*", "?", "$"):
        return variable
    if found := _WITH_DEFAULT.fullmatch(variable):
        value = context.get(found.group(1))
        return found.group(2) if value is None else value
    return context.get(variable)


@lru_cache(maxsize=2048)
def _expression(parts: tuple[str, ...], arn: bool) -> re.Pattern[str]:
    built: list[str] = []
    colons = 0
    for number, part in enumerate(parts):
        if number % 2:
            built.append(re.escape(part))
            continue
        for position, char in enumerate(part):
            within = arn and colons < _ARN_SEGMENTS - 1
            if char == "*":
                following = part[position + 1 : position + 2]
                ends_segment = following == ":" or (not following and number == len(parts) - 1)
                built.append(".*" if not within or ends_segment else "[^:]*")
            elif char == "?":
                built.append("[^:]" if within else ".")
            else:
                colons += char == ":"
                built.append(re.escape(char))
    return re.compile("".join(built), re.DOTALL)

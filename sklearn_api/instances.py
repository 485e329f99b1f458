"""Reads instances from a request's body, and checks them against a model's signature.

A body is one instance, an object with the model's inputs; or many, in ``{"instances": [ … ]}``.
All that is wrong with them is listed, in words that do not repeat what the client sent.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from math import isfinite
from types import MappingProxyType
from typing import Any, NamedTuple

from sklearn_api.errors import BadRequestError, InvalidInstancesError, Mistake
from sklearn_api.signature import BOOLEAN, INTEGER, NUMBER, STRING, TEXT, Input, Signature

MANY = "instances"
"""The field of a body that contains many instances."""

_LISTED = 10  # the most names or categories that a message lists
_LONGEST = 100  # the most characters of an unknown field's name that an answer repeats
_LEAST_INTEGER, _LARGEST_INTEGER = -(2**63), 2**63 - 1

_Check = Callable[[Any], str | None]
"""Returns what is wrong with a value, as the end of a sentence about its field."""


class Batch(NamedTuple):
    """The instances of a request.

    Attributes
    ----------
    instances : list of str, or of dict
        As `Model.predict` takes them.
    many : bool
        Whether the client sent a list of them.
    """

    instances: list[Any]
    many: bool


class _Field(NamedTuple):
    """An input, as clients send it: under its name or an alias."""

    name: str
    aliases: tuple[str, ...]
    nullable: bool
    check: _Check


class InstanceReader:
    """Reads the instances that a model takes.

    Parameters
    ----------
    signature : Signature
        The model's.
    aliases : mapping
        Other accepted names of its inputs, from alias to name. The name of an input is never an
        alias, and an alias of an input that the model does not have is no field of it.
    most : int
        The most instances in a request.
    """

    def __init__(
        self, signature: Signature, aliases: Mapping[str, str] = MappingProxyType({}), *, most: int
    ) -> None:
        names = [one.name for one in signature.inputs]
        aliases = {alias: name for alias, name in aliases.items() if alias not in names}
        self._fields = [
            _Field(
                one.name,
                tuple(alias for alias, name in aliases.items() if name == one.name),
                one.nullable,
                _check(one, text=signature.kind == TEXT),
            )
            for one in signature.inputs
        ]
        self._known = {*names, *(alias for field in self._fields for alias in field.aliases)}
        quoted = _listed(f"'{name}'" for name in names)
        self._unknown = f"the model has no such field; it has {quoted}"
        self._text = names[0] if signature.kind == TEXT else None
        self._most = most

    def read(self, body: Mapping[str, Any]) -> Batch:
        """Return the instances in a body.

        Raises
        ------
        BadRequestError
            It does not contain instances, or too many.
        InvalidInstancesError
            Some of the instances do not fit the signature.
        """
        # An input may have this name as well; none takes a list.
        many = MANY in body and (MANY not in self._known or isinstance(body[MANY], list))
        instances: list[Any] = []
        mistakes: list[Mistake] = []
        for number, instance in enumerate(self._sent(body) if many else (body,)):
            wrong: list[tuple[str | None, str]] = []
            instances.append(self._read(instance, wrong))
            if wrong:
                mistakes += [Mistake(number, field, detail) for field, detail in wrong]
                if len(mistakes) > InvalidInstancesError.MOST:
                    break
        if mistakes:
            raise InvalidInstancesError(mistakes, many=many)
        return Batch(instances, many)

    def _sent(self, body: Mapping[str, Any]) -> list[Any]:
        sent = body[MANY]
        if not isinstance(sent, list) or not sent:
            raise BadRequestError(
                f"the field '{MANY}' must be a list of one or more objects", field=MANY
            )
        if len(body) > 1:
            raise BadRequestError(
                f"the body has other fields beside '{MANY}'; put them into each instance",
                field=MANY,
            )
        if len(sent) > self._most:
            raise BadRequestError(
                f"the field '{MANY}' contains {len(sent):,} instances; send at most "
                f"{self._most:,} in a request",
                field=MANY,
            )
        return sent

    def _read(self, instance: Any, wrong: list[tuple[str | None, str]]) -> Any:
        """Return an instance as a model takes it, and add what is wrong with it to a list."""
        if not isinstance(instance, dict):
            wrong.append((None, f"the instance must be an object, not {_kind(instance)}"))
            return None
        values: dict[str, Any] = {}
        known = 0
        for field in self._fields:
            name = field.name
            sent = name in instance
            known += sent
            for alias in field.aliases:
                if alias in instance:
                    known += 1
                    if sent:
                        wrong.append((alias, f"the fields '{name}' and '{alias}' mean the same"))
                    name, sent = alias, True
            value = instance.get(name)
            if value is None and field.nullable:
                values[field.name] = None
            elif not sent:
                wrong.append((name, f"the field '{name}' is missing"))
            elif reason := field.check(value):
                wrong.append((name, f"the field '{name}' {reason}"))
            else:
                values[field.name] = value
        if known < len(instance):
            wrong += [(_shown(name), self._unknown) for name in self._strangers(instance)]
        return values if self._text is None else values.get(self._text)

    def _strangers(self, instance: Mapping[str, Any]) -> Iterator[str]:
        strangers = (name for name in instance if name not in self._known)
        return islice(strangers, InvalidInstancesError.MOST + 1)


def _check(one: Input, *, text: bool) -> _Check:
    """Return the function that checks the values of an input."""
    check = _text if text else _CHECKS[one.type]
    if not one.closed or one.categories is None:
        return check
    categories = frozenset(one.categories)
    words = (json.dumps(value, ensure_ascii=False) for value in one.categories)
    allowed = f"must be one of {_listed(words)}"

    def check_category(value: Any) -> str | None:
        return check(value) or (None if value in categories else allowed)

    return check_category


def _string(value: Any) -> str | None:
    if not isinstance(value, str):
        return f"must be a string, not {_kind(value)}"
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return "is not valid Unicode: it contains a lone surrogate"
    return None


def _text(value: Any) -> str | None:
    if isinstance(value, str) and not value.strip():
        return "cannot be empty"
    return _string(value)


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"must be a number, not {_kind(value)}"
    try:
        finite = isfinite(value)  # JSON's 1e999 is infinite
    except OverflowError:
        finite = False
    return None if finite else "is too large for a number of 64 bits"


def _integer(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"must be a whole number, not {_kind(value)}"
    if not _LEAST_INTEGER <= value <= _LARGEST_INTEGER:
        return "is too large for a whole number of 64 bits"
    return None if value == int(value) else "must be a whole number"


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"must be true or false, not {_kind(value)}"


_CHECKS: Mapping[str, _Check] = {
    STRING: _string,
    NUMBER: _number,
    INTEGER: _integer,
    BOOLEAN: _boolean,
}
_KINDS: Mapping[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    type(None): "null",
}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "a number")


def _listed(words: Iterable[str]) -> str:
    first = list(words)
    more = len(first) - _LISTED
    return ", ".join(first[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def _shown(name: str) -> str:
    """Return the name of an unknown field as an answer may contain it: short, and valid Unicode."""
    short = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
    return short.encode("utf-8", "replace").decode()

"""The `Condition` element: the operators, and their result when a key is absent.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from localstack_parity.iam.answers import Answer, Unclear, every, negation, some
from localstack_parity.iam.patterns import Context, fill

Conditions = Mapping[str, Mapping[str, Sequence[str]]]


def evaluate(conditions: Conditions, context: Context, variables: bool = True) -> Answer:
    """Return whether all conditions of a statement hold.

    Parameters
    ----------
    conditions : mapping
        Values by operator and condition key, as in the policy; the values are lists of strings.
    context : Context
        The request's condition keys.
    variables : bool
        Whether ``${...}`` in a value is a variable: only in policies of version 2012-10-17.
    """
    return every(
        _holds(operator, key, values, context, variables)
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _holds(
    operator: str, key: str, values: Sequence[str], context: Context, variables: bool
) -> Answer:
    quantifier, colon, name = operator.rpartition(":")
    if colon and quantifier not in ("ForAllValues", "ForAnyValue"):
        return Unclear(f"the condition operator {operator}")
    value = context.get(key)
    if isinstance(value, Unclear):
        return value
    if operator == "Null":
        return some(_is(value is None, wanted) for wanted in values)
    optional, name = name.endswith("IfExists"), name.removesuffix("IfExists")
    negated = name in _NEGATED
    test = _TESTS.get(_NEGATED.get(name, name))
    if test is None:
        return Unclear(f"the condition operator {operator}")
    if value is None:
        # For a key without values, ForAllValues holds and ForAnyValue does not. Every key here has
        # at most one value.
        return optional or quantifier == "ForAllValues" or (negated and not quantifier)
    found = some(_each(test, value, values, context if variables else None))
    return negation(found) if negated else found


def _each(
    test: "_Test", value: str, values: Sequence[str], context: Context | None
) -> Iterator[Answer]:
    for wanted in values:
        try:
            yield test(value, wanted, context)
        except ValueError as exc:
            yield Unclear(f"the value {wanted!r} ({exc})")


_Test = Callable[[str, str, Context | None], Answer]


def _string(compare: Callable[[str, str], bool]) -> _Test:
    def test(value: str, wanted: str, context: Context | None) -> Answer:
        text = fill(wanted, context)
        if text is None or isinstance(text, Unclear):
            return False if text is None else text
        return compare(value, text.literal())

    return test


def _string_like(value: str, wanted: str, context: Context | None) -> Answer:
    text = fill(wanted, context)
    if text is None or isinstance(text, Unclear):
        return False if text is None else text
    return text.matches(value)


def _arn_like(value: str, wanted: str, context: Context | None) -> Answer:
    text = fill(wanted, context)
    if text is None or isinstance(text, Unclear):
        return False if text is None else text
    return text.matches_arn_segments(value)


def _number(compare: Callable[[float, float], bool]) -> _Test:
    def test(value: str, wanted: str, context: Context | None) -> Answer:
        return compare(float(value), float(wanted))

    return test


def _date(compare: Callable[[datetime, datetime], bool]) -> _Test:
    def test(value: str, wanted: str, context: Context | None) -> Answer:
        return compare(_moment(value), _moment(wanted))

    return test


def _moment(text: str) -> datetime:
    """Parse an ISO 8601 time or a number of seconds since 1970; the default offset is UTC."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bool(value: str, wanted: str, context: Context | None) -> Answer:
    return _is(value.lower() == "true", wanted)


def _is(fact: bool, wanted: str) -> Answer:
    if wanted.lower() not in ("true", "false"):
        return Unclear(f"the value {wanted!r}, which is neither true nor false")
    return fact == (wanted.lower() == "true")


def _address(value: str, wanted: str, context: Context | None) -> Answer:
    return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)


_TESTS: Mapping[str, _Test] = {
    "StringEquals": _string(lambda value, wanted: value == wanted),
    "StringEqualsIgnoreCase": _string(lambda value, wanted: value.lower() == wanted.lower()),
    "StringLike": _string_like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "NumericEquals": _number(lambda value, wanted: value == wanted),
    "NumericLessThan": _number(lambda value, wanted: value < wanted),
    "NumericLessThanEquals": _number(lambda value, wanted: value <= wanted),
    "NumericGreaterThan": _number(lambda value, wanted: value > wanted),
    "NumericGreaterThanEquals": _number(lambda value, wanted: value >= wanted),
    "DateEquals": _date(lambda value, wanted: value == wanted),
    "DateLessThan": _date(lambda value, wanted: value < wanted),
    "DateLessThanEquals": _date(lambda value, wanted: value <= wanted),
    "DateGreaterThan": _date(lambda value, wanted: value > wanted),
    "DateGreaterThanEquals": _date(lambda value, wanted: value >= wanted),
    "Bool": _bool,
    "IpAddress": _address,
}
_NEGATED: Mapping[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}

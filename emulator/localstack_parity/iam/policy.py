"""Read policies, and match their statements against a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from localstack_parity.iam.answers import Answer, Unclear, every, negation, some
from localstack_parity.iam.conditions import Conditions, evaluate
from localstack_parity.iam.patterns import Context, Text, fill

_ELEMENTS = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}


class PolicyError(ValueError):
    """A policy that cannot be read."""


@dataclass(frozen=True)
class Principal:
    """The caller: a session of a role."""

    account: str
    role_arn: str
    session_arn: str


@dataclass(frozen=True)
class Request:
    """One action on one resource, by one principal.

    Attributes
    ----------
    action : str
        The action, such as ``s3:GetObject``.
    resource : str or None
        The resource's ARN; None if it is not known. Then only the pattern ``*`` matches, and a
        pattern that might match makes the statement unclear.
    principal : Principal
        The caller.
    context : Context
        The condition keys.
    """

    action: str
    resource: str | None
    principal: Principal
    context: Context


@dataclass(frozen=True)
class Statement:
    """One statement of a policy.

    Attributes
    ----------
    label : str
        What messages call the statement.
    allows : bool
        Whether the effect is Allow.
    actions, resources, principals : tuple of str
        What the statement covers. `principals` is None without an element for principals, as in a
        role's policies.
    not_actions, not_resources, not_principals : bool
        Whether the statement covers everything except these.
    conditions : mapping
        The ``Condition`` element.
    variables : bool
        Whether ``${...}`` is a variable.
    problem : str or None
        Why the statement cannot be read; None if it can.
    """

    label: str
    allows: bool
    actions: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...]
    not_resources: bool
    principals: tuple[str, ...] | None = None
    not_principals: bool = False
    conditions: Conditions = field(default_factory=dict)
    variables: bool = True
    problem: str | None = None

    def matches(self, request: Request) -> Answer:
        """Return whether the statement covers the request, whoever the principal is."""
        if self.problem:
            return Unclear(self.problem)
        return every(self._elements(request))

    def _elements(self, request: Request) -> Iterator[Answer]:
        action = request.action.lower()
        found = any(Text((pattern.lower(),)).matches(action) for pattern in self.actions)
        yield found != self.not_actions  # if this is False, `every` stops here
        context = request.context if self.variables else None
        resource = some(_names(pattern, request, context) for pattern in self.resources)
        yield negation(resource) if self.not_resources else resource
        yield evaluate(self.conditions, request.context, self.variables)


def _names(pattern: str, request: Request, context: Context | None) -> Answer:
    text = fill(pattern, context)
    if text is None or isinstance(text, Unclear):
        return False if text is None else text
    if request.resource is not None:
        return text.matches_arn(request.resource)
    if text.parts == ("*",):
        return True
    segments = text.literal().split(":")
    service = request.action.partition(":")[0]
    if len(segments) > 2 and not Text((segments[2],)).matches(service):
        return False
    return Unclear(f'which resource {request.action} is about here; only Resource "*" is certain')


@dataclass(frozen=True)
class Policy:
    """A policy, with the name that messages use for it."""

    name: str
    statements: tuple[Statement, ...]


@lru_cache(maxsize=512)
def parse(name: str, document: str) -> Policy:
    """Read a policy document (JSON).

    A document that cannot be read becomes a statement that denies everything, with the reason.
    """
    try:
        policy = json.loads(document)
        if not isinstance(policy, dict):
            raise PolicyError("the policy is not a JSON object")
        variables = policy.get("Version") == "2012-10-17"
        statements = policy.get("Statement")
        if isinstance(statements, dict):
            statements = [statements]
        if not isinstance(statements, list):
            raise PolicyError("the policy has no Statement")
        return Policy(
            name,
            tuple(
                _statement(raw, f"statement {number}", variables)
                for number, raw in enumerate(statements, 1)
            ),
        )
    except ValueError as exc:
        return unreadable(name, str(exc))


def unreadable(name: str, problem: str) -> Policy:
    """Return a policy that denies everything, with `problem` as the reason."""
    return Policy(name, (Statement(name, False, (), True, (), True, problem=problem),))


def _statement(raw: Any, label: str, variables: bool) -> Statement:
    if not isinstance(raw, dict):
        raise PolicyError(f"{label} is not a JSON object")
    if unknown := set(raw) - _ELEMENTS:
        raise PolicyError(f"the element {sorted(unknown)[0]} of {label}")
    if raw.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f"the Effect {raw.get('Effect')!r} of {label}")
    for element in ("Action", "Resource"):
        if (element in raw) == (f"Not{element}" in raw):
            raise PolicyError(f"{label}: it must have {element} or Not{element}")
    return Statement(
        label=f'statement "{raw["Sid"]}"' if raw.get("Sid") else label,
        allows=raw["Effect"] == "Allow",
        actions=_texts(raw.get("Action", raw.get("NotAction"))),
        not_actions="NotAction" in raw,
        resources=_texts(raw.get("Resource", raw.get("NotResource"))),
        not_resources="NotResource" in raw,
        principals=_principals(raw.get("Principal", raw.get("NotPrincipal"))),
        not_principals="NotPrincipal" in raw,
        conditions=_conditions(raw.get("Condition", {}), label),
        variables=variables,
    )


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in values):
        raise PolicyError(f"{value!r}, which must be a string or a list of strings")
    return tuple(values)


def _principals(value: Any) -> tuple[str, ...] | None:
    """Return the AWS principals; services and federated users are never a role's session."""
    if value is None:
        return None
    return _texts(value.get("AWS", [])) if isinstance(value, Mapping) else _texts(value)


def _conditions(value: Any, label: str) -> Conditions:
    if not isinstance(value, Mapping) or not all(isinstance(v, Mapping) for v in value.values()):
        raise PolicyError(f"the Condition of {label}")
    return {
        operator: {key: _condition_values(values) for key, values in keys.items()}
        for operator, keys in value.items()
    }


def _condition_values(value: Any) -> Sequence[str]:
    """Return condition values as strings: JSON's true and 10 mean "true" and "10"."""
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str | bool | int | float) for one in values):
        raise PolicyError(f"the condition value {value!r}")
    return [one if isinstance(one, str) else json.dumps(one) for one in values]

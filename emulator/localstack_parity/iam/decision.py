"""Decide on a request, given all policies that apply to it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from localstack_parity.iam.answers import Unclear
from localstack_parity.iam.policy import Policy, Principal, Request, Statement


@dataclass(frozen=True)
class Applicable:
    """The policies that apply to a request.

    Attributes
    ----------
    identity : sequence of Policy
        The role's policies, inline and managed.
    resource : Policy or None
        The resource's own policy.
    same_account : bool
        Whether the caller and the resource belong to the same account.
    boundary, session : Policy or None
        The permissions boundary and the session policy. They only narrow; None narrows nothing.
    """

    identity: Sequence[Policy]
    resource: Policy | None = None
    same_account: bool = True
    boundary: Policy | None = None
    session: Policy | None = None


@dataclass(frozen=True)
class Decision:
    """Whether a request is allowed, and if not, why.

    Attributes
    ----------
    allowed : bool
        Whether the request is allowed.
    message : str
        The reason in AWS's words.
    denied_by : str or None
        After an explicit deny: the statement that denies.
    missing : str or None
        Otherwise: the kind of policy that would have to allow the request.
    doubts : tuple of str
        Statements that might allow the request, but are not understood.
    """

    allowed: bool
    message: str = ""
    denied_by: str | None = None
    missing: str | None = None
    doubts: tuple[str, ...] = ()


class _Grant(IntEnum):
    """How specifically a statement names the caller, from least to most."""

    NONE = 0
    ACCOUNT = 1
    ROLE = 2
    SESSION = 3


def decide(request: Request, policies: Applicable) -> Decision:
    """Decide as AWS does: an explicit deny wins, then every required kind of policy must allow.

    A statement that is not understood never allows and always denies.
    """
    layers = [
        ("identity-based policy", policies.identity),
        ("resource-based policy", [policies.resource] if policies.resource else []),
        ("permissions boundary", [policies.boundary] if policies.boundary else []),
        ("session policy", [policies.session] if policies.session else []),
    ]
    for kind, group in layers:
        for policy in group:
            if denied_by := _denial(policy, request, kind == "resource-based policy"):
                article = "an" if kind[0] in "aeiou" else "a"
                message = f"with an explicit deny in {article} {kind}"
                return Decision(False, message, denied_by=denied_by)
    doubts: list[str] = []
    grant = _granted(policies.resource, request, doubts)
    if policies.same_account and grant is _Grant.SESSION:
        # Where a resource's policy names the session itself, no other policy has to allow.
        return Decision(True)
    required: list[tuple[str, bool]] = [
        (
            "identity-based policy",
            (policies.same_account and grant is _Grant.ROLE)
            or any(_allows(policy, request, doubts) for policy in policies.identity),
        )
    ]
    if policies.boundary:
        required.append(("permissions boundary", _allows(policies.boundary, request, doubts)))
    if policies.session:
        required.append(("session policy", _allows(policies.session, request, doubts)))
    if not policies.same_account:
        required.append(("resource-based policy", grant is not _Grant.NONE))
    for kind, allowed in required:
        if not allowed:
            message = f"because no {kind} allows the {request.action} action"
            return Decision(False, message, missing=kind, doubts=tuple(doubts))
    return Decision(True)


def _denial(policy: Policy, request: Request, of_resource: bool) -> str | None:
    for statement in policy.statements:
        if statement.allows or (of_resource and not _denies_principal(statement, request)):
            continue
        answer = statement.matches(request)
        where = f"{statement.label} of {policy.name}"
        if isinstance(answer, Unclear):
            return f"{where} is not understood, so it denies: {answer.reason}"
        if answer:
            return f"{where} denies it"
    return None


def _allows(policy: Policy, request: Request, doubts: list[str]) -> bool:
    return any(_allows_by(statement, policy, request, doubts) for statement in policy.statements)


def _allows_by(statement: Statement, policy: Policy, request: Request, doubts: list[str]) -> bool:
    if not statement.allows:
        return False
    answer = statement.matches(request)
    if isinstance(answer, Unclear):
        doubts.append(f"{answer.reason} ({statement.label} of {policy.name})")
        return False
    return answer


def _granted(policy: Policy | None, request: Request, doubts: list[str]) -> _Grant:
    grant = _Grant.NONE
    for statement in policy.statements if policy else ():
        named = _named(statement, request.principal)
        if named > grant and policy and _allows_by(statement, policy, request, doubts):
            grant = named
    return grant


def _named(statement: Statement, principal: Principal) -> _Grant:
    """Return how specifically an Allow statement names the principal.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    kinds = [_kind(text, principal) for text in statement.principals or ()]
    if statement.not_principals:
        return _Grant.NONE if any(kinds) else _Grant.ROLE
    return max(kinds, default=_Grant.NONE)


def _kind(text: str, principal: Principal) -> _Grant:
    if text == principal.session_arn:
        return _Grant.SESSION
    if text in ("*", principal.role_arn):
        return _Grant.ROLE
    if re.fullmatch(rf"(arn:[\w-]+:iam::)?{principal.account}(:root)?", text):
        return _Grant.ACCOUNT
    return _Grant.NONE


def _denies_principal(statement: Statement, request: Request) -> bool:
    """Return whether a Deny statement applies to the principal.

    `NotPrincipal` exempts a session only if it names the session, its role and its account:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    if statement.problem or statement.principals is None:  # AWS refuses to store such a policy
        return True
    kinds = {_kind(text, request.principal) for text in statement.principals}
    if statement.not_principals:
        return not {_Grant.SESSION, _Grant.ROLE, _Grant.ACCOUNT} <= kinds
    return any(kinds)

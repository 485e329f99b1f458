"""Policies and the decision on a request, one rule at a time; no LocalStack."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from iam.context import CONTEXT, ROLE, SESSION
from localstack_parity.iam.decision import Applicable, Decision, decide
from localstack_parity.iam.policy import Principal, Request, parse


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "s3:GetObject", "Resource": "*", **elements}


def document(*statements: Mapping[str, Any], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": statements})


def decision(
    *statements: Mapping[str, Any],
    action: str = "s3:GetObject",
    resource: str | None = "arn:aws:s3:::b/k",
    of_bucket: Mapping[str, Any] | None = None,
    boundary: Mapping[str, Any] | None = None,
    session: Mapping[str, Any] | None = None,
    same_account: bool = True,
    version: str = "2012-10-17",
) -> Decision:
    request = Request(action, resource, Principal("123456789012", ROLE, SESSION), CONTEXT)
    return decide(
        request,
        Applicable(
            identity=[parse("identity", document(*statements, version=version))],
            resource=parse("bucket", document(of_bucket)) if of_bucket else None,
            boundary=parse("boundary", document(boundary)) if boundary else None,
            session=parse("session", document(session)) if session else None,
            same_account=same_account,
        ),
    )


def test_nothing_is_allowed_that_no_statement_allows() -> None:
    """An implicit deny names the kind of policy that is missing."""
    assert decision() == Decision(
        False,
        "because no identity-based policy allows the s3:GetObject action",
        missing="identity-based policy",
    )
    assert decision(statement()) == Decision(True)


def test_a_variable_is_text_in_policies_of_2008() -> None:
    """Only policies of version 2012-10-17 have variables.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
    """
    one = statement(Resource="arn:aws:s3:::b/${aws:userid}")
    assert decision(one, resource="arn:aws:s3:::b/AROA:f").allowed
    assert not decision(one, resource="arn:aws:s3:::b/AROA:f", version="2008-10-17").allowed
    assert decision(one, resource="arn:aws:s3:::b/${aws:userid}", version="2008-10-17").allowed


@pytest.mark.parametrize("pattern", ["arn:aws:logs:us-east-1:123456789012:x", "arn:aws:logs:*:*:*"])
def test_with_an_unknown_resource_only_all_resources_are_certain(pattern: str) -> None:
    """A narrower Allow does not allow, a narrower Deny denies, and both give the reason."""
    unknown: dict[str, Any] = {"action": "logs:StartQuery", "resource": None}
    star = statement(Action="logs:*")
    narrow = statement(Action="logs:*", Resource=pattern)
    assert decision(star, **unknown).allowed
    [doubt] = decision(narrow, **unknown).doubts
    assert "which resource logs:StartQuery is about" in doubt
    denied = decision(star, {**narrow, "Effect": "Deny"}, **unknown)
    assert "which resource logs:StartQuery is about" in (denied.denied_by or "")
    elsewhere = statement("Deny", Action="*", Resource="arn:aws:s3:::b/*")
    assert decision(star, elsewhere, **unknown).allowed


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("{", "Expecting"),
        ("[]", "not a JSON object"),
        ('{"Version": "2012-10-17"}', "no Statement"),
        (document({"Effect": "Allow", "Action": "*"}), "Resource"),
        (document(statement(effect="allow")), "Effect 'allow'"),
        (document(statement(Actions="*")), "the element Actions"),
        (document(statement(NotAction="*")), "NotAction"),
        (document(statement(Action=1)), "must be a string or a list of strings"),
        (document(statement(Condition={"Bool": "true"})), "the Condition of statement 1"),
    ],
)
def test_an_unreadable_policy_denies_and_gives_the_reason(broken: str, says: str) -> None:
    """A policy that AWS would refuse to store never allows a call."""
    request = Request("s3:GetObject", "*", Principal("123456789012", ROLE, SESSION), CONTEXT)
    policies = [parse("good", document(statement())), parse("bad", broken)]
    refused = decide(request, Applicable(identity=policies))
    assert not refused.allowed
    assert refused.denied_by is not None
    assert says in refused.denied_by
    assert "bad" in refused.denied_by


def test_values_may_be_json_numbers_and_booleans() -> None:
    """CloudFormation sometimes turns "true" into a JSON boolean."""
    condition = {"Bool": {"aws:SecureTransport": True}, "NumericEquals": {"s3:max-keys": 10}}
    assert decision(statement(Condition=condition)).allowed


@pytest.mark.parametrize("layer", ["of_bucket", "boundary", "session"])
def test_an_explicit_deny_wins_in_every_kind_of_policy(layer: str) -> None:
    """One Deny in any policy is enough, and the message names the kind of policy.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """
    kinds = {
        "of_bucket": "a resource-based policy",
        "boundary": "a permissions boundary",
        "session": "a session policy",
    }
    principal = {"Principal": "*"} if layer == "of_bucket" else {}
    more: dict[str, Any] = {layer: statement("Deny", **principal)}
    assert decision(statement(), **more).message == f"with an explicit deny in {kinds[layer]}"


@pytest.mark.parametrize(
    ("named", "identity", "boundary", "expected"),
    [
        (SESSION, False, False, True),
        (ROLE, False, True, True),
        (ROLE, False, False, False),
        ("*", False, True, True),
        ("123456789012", False, True, False),
        ("123456789012", True, True, True),
        ("arn:aws:iam::210987654321:root", False, True, False),
        ("arn:aws:iam::123456789012:role/*", False, True, False),
    ],
)
def test_what_a_bucket_policy_grants_depends_on_whom_it_names(
    named: str, identity: bool, boundary: bool, expected: bool
) -> None:
    """A named session needs nothing else, a named role its boundary, a named account the role's policy.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
    """
    got = decision(
        *([statement()] if identity else []),
        of_bucket=statement(Principal={"AWS": named}),
        boundary=statement() if boundary else statement(Action="sqs:*"),
    )
    assert got.allowed is expected


def test_another_accounts_bucket_needs_both_sides() -> None:
    """The role's policies and the bucket's both have to allow the call.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    grant = statement(Principal={"AWS": ROLE})
    assert decision(statement(), of_bucket=grant, same_account=False).allowed
    assert decision(of_bucket=grant, same_account=False).missing == "identity-based policy"
    assert decision(statement(), same_account=False).missing == "resource-based policy"


def test_a_session_policy_narrows() -> None:
    """A policy passed to AssumeRole limits the session.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
    """
    assert decision(statement(), session=statement()).allowed
    refused = decision(statement(), session=statement(Action="s3:PutObject"))
    assert refused.message == "because no session policy allows the s3:GetObject action"


def test_not_principal_exempts_a_fully_named_session() -> None:
    """A session is exempt only if it, its role and its account are all named.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    account = "arn:aws:iam::123456789012:root"
    exempt = statement("Deny", NotPrincipal={"AWS": [SESSION, ROLE, account]})
    assert decision(statement(), of_bucket=exempt).allowed
    for named in ([ROLE, account], [SESSION, ROLE], ["arn:aws:iam::210987654321:root"]):
        not_exempt = statement("Deny", NotPrincipal={"AWS": named})
        assert not decision(statement(), of_bucket=not_exempt).allowed, named


def test_services_are_not_roles() -> None:
    """A Deny for a service does not apply to a role's session."""
    only = statement("Deny", Principal={"Service": "cloudtrail.amazonaws.com"})
    assert decision(statement(), of_bucket=only).allowed


def test_a_bucket_policy_must_name_principals() -> None:
    """LocalStack stores a policy that AWS would refuse; its Deny applies to everyone, its Allow to no one.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-bucket-user-policy-specifying-principal-intro.html
    """
    assert not decision(statement(), of_bucket=statement("Deny")).allowed
    assert not decision(of_bucket=statement()).allowed

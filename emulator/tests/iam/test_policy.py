"""Policies, one rule at a time; no LocalStack."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from localstack_parity.iam.answers import Answer, Unclear, every, negation, some
from localstack_parity.iam.conditions import evaluate
from localstack_parity.iam.decision import Applicable, Decision, decide
from localstack_parity.iam.patterns import Context, Text, fill
from localstack_parity.iam.policy import Principal, Request, parse

UNCLEAR = Unclear("why")
ROLE = "arn:aws:iam::123456789012:role/app"
SESSION = "arn:aws:sts::123456789012:assumed-role/app/f"
CONTEXT = Context(
    {
        "aws:currenttime": "2026-11-24T12:00:00Z",
        "aws:epochtime": "1795521600",
        "aws:principalarn": ROLE,
        "aws:securetransport": "true",
        "aws:sourceip": "10.1.2.3",
        "aws:username": None,
        "aws:userid": "AROA:f",
        "aws:principaltag/team": "*",
        "s3:max-keys": "10",
        "s3:prefix": "models/a",
        "s3:delimiter": None,
    },
    families=("aws:principaltag/",),
)


@pytest.mark.parametrize(
    ("answers", "all_of", "one_of"),
    [
        ([], True, False),
        ([True, True], True, True),
        ([True, False], False, True),
        ([UNCLEAR, False], False, UNCLEAR),
        ([UNCLEAR, True], UNCLEAR, True),
    ],
)
def test_a_doubt_is_settled_only_by_what_outweighs_it(
    answers: list[Answer], all_of: Answer, one_of: Answer
) -> None:
    """False outweighs a doubt in a conjunction, True does in a disjunction."""
    assert every(answers) == all_of
    assert some(answers) == one_of


def test_a_doubt_is_never_taken_for_yes_or_no() -> None:
    """Code that forgets the third value fails instead of deciding."""
    assert negation(UNCLEAR) is UNCLEAR
    with pytest.raises(TypeError):
        bool(UNCLEAR)


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("*", "arn:aws:s3:::b/k", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b/c", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b", False),
        ("arn:aws:s3:::b", "arn:aws:s3:::B", False),
        ("arn:aws:s3:::b/?.zip", "arn:aws:s3:::b/1.zip", True),
        ("arn:aws:s3:::b/?.zip", "arn:aws:s3:::b/12.zip", False),
        ("arn:aws:s3:::b/*.zip", "arn:aws:s3:::b/a:b.zip", True),
        ("arn:aws:s3:::b.c", "arn:aws:s3:::bxc", False),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/line\nbreak", True),
        # A * at the end of a segment may go beyond the colon; elsewhere it may not.
        ("arn:aws:sqs:*:q", "arn:aws:sqs:us-east-1:123456789012:q", True),
        ("arn:aws:sqs:*", "arn:aws:sqs:us-east-1:123456789012:q", True),
        ("arn:aws:sqs:us-*t-1:q", "arn:aws:sqs:us-east-1:123456789012:west-1:q", False),
        ("arn:aws:sqs:us?east-1:*:q", "arn:aws:sqs:us-east-1:123456789012:q", True),
    ],
)
def test_wildcards_in_resources(pattern: str, arn: str, expected: bool) -> None:
    """`*` is any text and `?` one character, within the ARN's segments; case counts.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    assert Text((pattern,)).matches_arn(arn) is expected


@pytest.mark.parametrize(
    ("text", "matching", "other"),
    [
        ("home/${aws:userid}/*", "home/AROA:f/x", "home/AROA:g/x"),
        ("home/${AWS:UserId}", "home/AROA:f", "home/"),
        ("${aws:username, 'nobody'}", "nobody", ""),
        ("${aws:PrincipalTag/team}", "*", "anything"),
        ("${*}", "*", "anything"),
        ("${?}", "?", "x"),
        ("${$}{x}", "${x}", "x"),
    ],
)
def test_variables_stand_for_text_without_wildcards(text: str, matching: str, other: str) -> None:
    """What a variable stands for is taken as it is, even a `*`.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    filled = fill(text, CONTEXT)
    assert isinstance(filled, Text)
    assert filled.matches(matching)
    assert not filled.matches(other)


def test_variables_without_a_value_match_nothing() -> None:
    """A variable that is absent is no text at all; one that is not known is a doubt."""
    assert fill("${aws:username}", CONTEXT) is None
    assert fill("${aws:PrincipalTag/unset}", CONTEXT) is None
    assert isinstance(fill("${aws:SourceVpc}", CONTEXT), Unclear)


YES, NO, DOUBT = "yes", "no", "doubt"


def word(answer: Answer) -> str:
    return DOUBT if isinstance(answer, Unclear) else YES if answer else NO


@pytest.mark.parametrize(
    ("operator", "key", "values", "expected"),
    [
        ("StringEquals", "s3:prefix", ["models/a"], YES),
        ("StringEquals", "S3:Prefix", ["x", "models/a"], YES),
        ("StringEquals", "s3:prefix", ["Models/a"], NO),
        ("StringEquals", "s3:prefix", ["models/*"], NO),
        ("StringEquals", "s3:delimiter", ["/"], NO),
        ("StringEquals", "aws:userid", ["${aws:userid}"], YES),
        ("StringEquals", "aws:userid", ["${aws:username}"], NO),
        ("StringNotEquals", "aws:userid", ["${aws:username}"], YES),
        ("StringNotEquals", "s3:prefix", ["models/a"], NO),
        ("StringNotEquals", "s3:prefix", ["x", "models/a"], NO),
        ("StringNotEquals", "s3:prefix", ["x", "y"], YES),
        ("StringNotEquals", "s3:delimiter", ["/"], YES),
        ("StringEqualsIgnoreCase", "s3:prefix", ["MODELS/A"], YES),
        ("StringNotEqualsIgnoreCase", "s3:prefix", ["MODELS/A"], NO),
        ("StringLike", "s3:prefix", ["models/*"], YES),
        ("StringLike", "s3:prefix", ["MODELS/*"], NO),
        ("StringLike", "s3:prefix", ["model?/?"], YES),
        ("StringNotLike", "s3:prefix", ["models/*"], NO),
        ("StringNotLike", "s3:delimiter", ["*"], YES),
        ("StringEqualsIfExists", "s3:delimiter", ["/"], YES),
        ("StringEqualsIfExists", "s3:prefix", ["/"], NO),
        ("ArnEquals", "aws:PrincipalArn", [ROLE], YES),
        ("ArnEquals", "aws:PrincipalArn", ["arn:aws:iam::*:role/a*"], YES),
        ("ArnLike", "aws:PrincipalArn", ["arn:aws:iam::123456789012:role/app?"], NO),
        ("ArnLike", "aws:PrincipalArn", ["arn:aws:iam:*:role/app"], DOUBT),
        ("ArnLike", "aws:PrincipalArn", ["*"], YES),
        ("ArnNotEquals", "aws:PrincipalArn", [ROLE], NO),
        ("ArnNotLike", "aws:PrincipalArn", ["arn:aws:iam::*:role/b*"], YES),
        ("Bool", "aws:SecureTransport", ["true"], YES),
        ("Bool", "aws:SecureTransport", ["False"], NO),
        ("Bool", "aws:SecureTransport", ["maybe"], DOUBT),
        ("BoolIfExists", "s3:delimiter", ["false"], YES),
        ("Null", "s3:delimiter", ["true"], YES),
        ("Null", "s3:prefix", ["true"], NO),
        ("Null", "s3:prefix", ["false"], YES),
        ("NumericEquals", "s3:max-keys", ["10.0"], YES),
        ("NumericNotEquals", "s3:max-keys", ["10"], NO),
        ("NumericLessThan", "s3:max-keys", ["10"], NO),
        ("NumericLessThanEquals", "s3:max-keys", ["10"], YES),
        ("NumericGreaterThan", "s3:max-keys", ["9"], YES),
        ("NumericGreaterThanEquals", "s3:max-keys", ["11"], NO),
        ("NumericLessThan", "s3:max-keys", ["ten"], DOUBT),
        ("DateGreaterThan", "aws:CurrentTime", ["2026-11-24T11:00:00Z"], YES),
        ("DateGreaterThanEquals", "aws:CurrentTime", ["2026-11-24T13:00:00+01:00"], YES),
        ("DateLessThan", "aws:CurrentTime", ["2026-11-24"], NO),
        ("DateLessThanEquals", "aws:EpochTime", ["1795521600"], YES),
        ("DateEquals", "aws:EpochTime", ["2026-11-24T12:00:00Z"], YES),
        ("DateNotEquals", "aws:EpochTime", ["2026-11-24T12:00:00Z"], NO),
        ("DateLessThan", "aws:CurrentTime", ["soon"], DOUBT),
        ("IpAddress", "aws:SourceIp", ["10.0.0.0/8"], YES),
        ("IpAddress", "aws:SourceIp", ["10.1.2.3"], YES),
        ("IpAddress", "aws:SourceIp", ["2001:db8::/32"], NO),
        ("NotIpAddress", "aws:SourceIp", ["10.0.0.0/8"], NO),
        ("NotIpAddress", "aws:SourceIp", ["192.168.0.0/16"], YES),
        ("IpAddress", "aws:SourceIp", ["here"], DOUBT),
        ("ForAllValues:StringEquals", "s3:prefix", ["models/a", "x"], YES),
        ("ForAllValues:StringEquals", "s3:delimiter", ["/"], YES),
        ("ForAnyValue:StringEquals", "s3:prefix", ["models/a", "x"], YES),
        ("ForAnyValue:StringEquals", "s3:delimiter", ["/"], NO),
        ("ForAnyValue:StringNotEquals", "s3:delimiter", ["/"], NO),
        ("ForSomeValues:StringEquals", "s3:prefix", ["models/a"], DOUBT),
        ("BinaryEquals", "s3:prefix", ["bW9kZWxzL2E="], DOUBT),
        ("StringMatches", "s3:prefix", ["models/a"], DOUBT),
        ("StringEquals", "aws:SourceVpc", ["vpc-1"], DOUBT),
        ("StringNotEquals", "aws:SourceVpc", ["vpc-1"], DOUBT),
        ("Null", "aws:SourceVpc", ["true"], DOUBT),
    ],
)
def test_condition_operators(operator: str, key: str, values: list[str], expected: str) -> None:
    """Every operator, with the key present, absent, and not known; what is odd is a doubt.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    assert word(evaluate({operator: {key: values}}, CONTEXT)) == expected


def test_all_conditions_of_a_statement_have_to_hold() -> None:
    """Operators and keys are a conjunction, and one that is false settles the others' doubts.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
    """
    true = {"StringLike": {"s3:prefix": ["models/*"]}}
    false = {"Bool": {"aws:SecureTransport": ["false"]}}
    doubt = {"StringEquals": {"aws:SourceVpc": ["vpc-1"]}}
    assert word(evaluate({**true, **false}, CONTEXT)) == NO
    assert word(evaluate({**doubt, **false}, CONTEXT)) == NO
    assert word(evaluate({**doubt, **true}, CONTEXT)) == DOUBT
    both = {"StringLike": {"s3:prefix": ["models/*"], "aws:userid": ["x"]}}
    assert word(evaluate(both, CONTEXT)) == NO


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
def test_where_the_resource_is_not_known_only_all_resources_are_certain(pattern: str) -> None:
    """A narrower Allow does not allow, a narrower Deny denies, and both say why."""
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
def test_a_policy_that_cannot_be_read_denies_and_says_why(broken: str, says: str) -> None:
    """What AWS would not have stored never lets a call pass."""
    request = Request("s3:GetObject", "*", Principal("123456789012", ROLE, SESSION), CONTEXT)
    policies = [parse("good", document(statement())), parse("bad", broken)]
    refused = decide(request, Applicable(identity=policies))
    assert not refused.allowed
    assert refused.denied_by is not None
    assert says in refused.denied_by
    assert "bad" in refused.denied_by


def test_values_may_be_numbers_and_truths_of_json() -> None:
    """CloudFormation makes true of "true" now and then."""
    condition = {"Bool": {"aws:SecureTransport": True}, "NumericEquals": {"s3:max-keys": 10}}
    assert decision(statement(Condition=condition)).allowed


@pytest.mark.parametrize("layer", ["of_bucket", "boundary", "session"])
def test_an_explicit_deny_wins_in_every_kind_of_policy(layer: str) -> None:
    """One Deny is enough, wherever it stands, and the message says where.

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
    """The session needs nothing else, the role its boundary, the account the role's own policy.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
    """
    got = decision(
        *([statement()] if identity else []),
        of_bucket=statement(Principal={"AWS": named}),
        boundary=statement() if boundary else statement(Action="sqs:*"),
    )
    assert got.allowed is expected


def test_another_accounts_bucket_needs_both_sides() -> None:
    """The role's policies and the bucket's have to allow it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    grant = statement(Principal={"AWS": ROLE})
    assert decision(statement(), of_bucket=grant, same_account=False).allowed
    assert decision(of_bucket=grant, same_account=False).missing == "identity-based policy"
    assert decision(statement(), same_account=False).missing == "resource-based policy"


def test_a_session_policy_narrows() -> None:
    """What AssumeRole was given as a policy limits the session.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
    """
    assert decision(statement(), session=statement()).allowed
    refused = decision(statement(), session=statement(Action="s3:PutObject"))
    assert refused.message == "because no session policy allows the s3:GetObject action"


def test_not_principal_spares_whom_it_names_in_full() -> None:
    """A session is spared if it, its role and its account are named.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    account = "arn:aws:iam::123456789012:root"
    spared = statement("Deny", NotPrincipal={"AWS": [SESSION, ROLE, account]})
    assert decision(statement(), of_bucket=spared).allowed
    for named in ([ROLE, account], [SESSION, ROLE], ["arn:aws:iam::210987654321:root"]):
        not_spared = statement("Deny", NotPrincipal={"AWS": named})
        assert not decision(statement(), of_bucket=not_spared).allowed, named


def test_services_are_not_roles() -> None:
    """A Deny for a service is not for a role's session."""
    only = statement("Deny", Principal={"Service": "cloudtrail.amazonaws.com"})
    assert decision(statement(), of_bucket=only).allowed


def test_a_bucket_policy_must_name_principals() -> None:
    """LocalStack stores a policy that AWS would not; its Deny is for everyone, its Allow for none.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-bucket-user-policy-specifying-principal-intro.html
    """
    assert not decision(statement(), of_bucket=statement("Deny")).allowed
    assert not decision(of_bucket=statement()).allowed

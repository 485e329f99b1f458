"""The `Condition` element, one operator at a time; no LocalStack."""

import pytest
from iam.context import CONTEXT, ROLE
from localstack_parity.iam.answers import Answer, Unclear
from localstack_parity.iam.conditions import evaluate

YES, NO, UNCLEAR = "yes", "no", "unclear"


def word(answer: Answer) -> str:
    return UNCLEAR if isinstance(answer, Unclear) else YES if answer else NO


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
        ("ArnLike", "aws:PrincipalArn", ["arn:aws:iam:*:role/app"], UNCLEAR),
        ("ArnLike", "aws:PrincipalArn", ["*"], YES),
        ("ArnNotEquals", "aws:PrincipalArn", [ROLE], NO),
        ("ArnNotLike", "aws:PrincipalArn", ["arn:aws:iam::*:role/b*"], YES),
        ("Bool", "aws:SecureTransport", ["true"], YES),
        ("Bool", "aws:SecureTransport", ["False"], NO),
        ("Bool", "aws:SecureTransport", ["maybe"], UNCLEAR),
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
        ("NumericLessThan", "s3:max-keys", ["ten"], UNCLEAR),
        ("DateGreaterThan", "aws:CurrentTime", ["2026-11-24T11:00:00Z"], YES),
        ("DateGreaterThanEquals", "aws:CurrentTime", ["2026-11-24T13:00:00+01:00"], YES),
        ("DateLessThan", "aws:CurrentTime", ["2026-11-24"], NO),
        ("DateLessThanEquals", "aws:EpochTime", ["1795521600"], YES),
        ("DateEquals", "aws:EpochTime", ["2026-11-24T12:00:00Z"], YES),
        ("DateNotEquals", "aws:EpochTime", ["2026-11-24T12:00:00Z"], NO),
        ("DateLessThan", "aws:CurrentTime", ["soon"], UNCLEAR),
        ("IpAddress", "aws:SourceIp", ["10.0.0.0/8"], YES),
        ("IpAddress", "aws:SourceIp", ["10.1.2.3"], YES),
        ("IpAddress", "aws:SourceIp", ["2001:db8::/32"], NO),
        ("NotIpAddress", "aws:SourceIp", ["10.0.0.0/8"], NO),
        ("NotIpAddress", "aws:SourceIp", ["192.168.0.0/16"], YES),
        ("IpAddress", "aws:SourceIp", ["here"], UNCLEAR),
        ("ForAllValues:StringEquals", "s3:prefix", ["models/a", "x"], YES),
        ("ForAllValues:StringEquals", "s3:delimiter", ["/"], YES),
        ("ForAnyValue:StringEquals", "s3:prefix", ["models/a", "x"], YES),
        ("ForAnyValue:StringEquals", "s3:delimiter", ["/"], NO),
        ("ForAnyValue:StringNotEquals", "s3:delimiter", ["/"], NO),
        ("ForSomeValues:StringEquals", "s3:prefix", ["models/a"], UNCLEAR),
        ("BinaryEquals", "s3:prefix", ["bW9kZWxzL2E="], UNCLEAR),
        ("StringMatches", "s3:prefix", ["models/a"], UNCLEAR),
        ("StringEquals", "aws:SourceVpc", ["vpc-1"], UNCLEAR),
        ("StringNotEquals", "aws:SourceVpc", ["vpc-1"], UNCLEAR),
        ("Null", "aws:SourceVpc", ["true"], UNCLEAR),
    ],
)
def test_condition_operators(operator: str, key: str, values: list[str], expected: str) -> None:
    """Every operator, with the key present, absent and unknown; malformed values are unclear.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    assert word(evaluate({operator: {key: values}}, CONTEXT)) == expected


def test_all_conditions_of_a_statement_have_to_hold() -> None:
    """Operators and keys form a conjunction, and a false one outweighs unclear ones.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
    """
    true = {"StringLike": {"s3:prefix": ["models/*"]}}
    false = {"Bool": {"aws:SecureTransport": ["false"]}}
    unclear = {"StringEquals": {"aws:SourceVpc": ["vpc-1"]}}
    assert word(evaluate({**true, **false}, CONTEXT)) == NO
    assert word(evaluate({**unclear, **false}, CONTEXT)) == NO
    assert word(evaluate({**unclear, **true}, CONTEXT)) == UNCLEAR
    both = {"StringLike": {"s3:prefix": ["models/*"], "aws:userid": ["x"]}}
    assert word(evaluate(both, CONTEXT)) == NO

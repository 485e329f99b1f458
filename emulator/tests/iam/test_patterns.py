"""Wildcards, policy variables, and answers that may be unclear; no LocalStack."""

import pytest
from iam.context import CONTEXT
from localstack_parity.iam.answers import Answer, Unclear, every, negation, some
from localstack_parity.iam.patterns import Text, fill

UNCLEAR = Unclear("why")


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
def test_only_a_decisive_answer_outweighs_an_unclear_one(
    answers: list[Answer], all_of: Answer, one_of: Answer
) -> None:
    """False outweighs an unclear answer in a conjunction, and True does in a disjunction."""
    assert every(answers) == all_of
    assert some(answers) == one_of


def test_an_unclear_answer_has_no_truth_value() -> None:
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
        # A * at the end of a segment also matches beyond the colon; elsewhere it does not.
        ("arn:aws:sqs:*:q", "arn:aws:sqs:us-east-1:123456789012:q", True),
        ("arn:aws:sqs:*", "arn:aws:sqs:us-east-1:123456789012:q", True),
        ("arn:aws:sqs:us-*t-1:q", "arn:aws:sqs:us-east-1:123456789012:west-1:q", False),
        ("arn:aws:sqs:us?east-1:*:q", "arn:aws:sqs:us-east-1:123456789012:q", True),
    ],
)
def test_wildcards_in_resources(pattern: str, arn: str, expected: bool) -> None:
    """`*` matches any text and `?` one character, within the ARN's segments; case matters.

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
def test_values_of_variables_have_no_wildcards(text: str, matching: str, other: str) -> None:
    """The value of a variable is matched literally, even a `*`.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    filled = fill(text, CONTEXT)
    assert isinstance(filled, Text)
    assert filled.matches(matching)
    assert not filled.matches(other)


def test_variables_without_a_value_match_nothing() -> None:
    """A string with an absent variable matches nothing; with an unknown one it is unclear."""
    assert fill("${aws:username}", CONTEXT) is None
    assert fill("${aws:PrincipalTag/unset}", CONTEXT) is None
    assert isinstance(fill("${aws:SourceVpc}", CONTEXT), Unclear)

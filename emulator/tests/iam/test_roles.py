"""What a role's policies allow its functions, on a real LocalStack."""

import json
import uuid

import boto3
import pytest
from botocore.exceptions import ClientError
from iam.caller import Caller, allow, deny, document


def test_a_call_that_no_policy_allows_gets_the_error_of_aws(caller: Caller) -> None:
    """S3 responds with 403 AccessDenied and AWS's message.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/models/*"))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a") == {"status": 200}
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other") == {
        "status": 403,
        "Code": "AccessDenied",
        "Message": f"User: {caller.arn} is not authorized to perform: s3:GetObject on resource: "
        f'"{caller.bucket_arn}/other" because no identity-based policy allows the s3:GetObject '
        "action",
    }


def test_logs_one_line_with_the_missing_statement(caller: Caller) -> None:
    """The line names principal, action, resource and statement; adding that statement allows the call."""
    before = len(caller.log_lines())
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 403
    [line] = caller.log_lines()[before:]
    text, _, statement = line.partition("; add ")
    assert text.endswith(
        f"IAM denied s3:GetObject on {caller.bucket_arn}/other to {caller.arn}: "
        f"no policy of role {caller.role} allows it"
    )
    caller.may(json.loads(statement))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other") == {"status": 200}


def test_actions_ignore_case_and_resources_do_not(caller: Caller) -> None:
    """`Action` matches in any case, `Resource` only as written.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    caller.may(allow("S3:getobject", f"{caller.bucket_arn}/models/*"))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 200
    caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/Models/*"))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 403


def test_an_explicit_deny_wins_and_the_log_names_the_statement(caller: Caller) -> None:
    """A Deny applies whatever else allows the call, and the log line names its statement.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html
    """
    caller.may(allow("s3:*", "*"), deny("s3:Get*", f"{caller.bucket_arn}/other", Sid="NotTheOther"))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 200
    refused = caller("s3", "get_object", Bucket=caller.bucket, Key="other")
    assert refused["Message"].endswith("with an explicit deny in an identity-based policy")
    assert caller.log_lines()[-1].endswith(
        'statement "NotTheOther" of inline policy "test" denies it'
    )


def test_not_action_and_not_resource_mean_all_others(caller: Caller) -> None:
    """`NotAction` and `NotResource` cover everything that they do not name.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html
    """
    others = {"NotAction": "s3:DeleteObject", "NotResource": f"{caller.bucket_arn}/other"}
    caller.may({"Effect": "Allow", **others})
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 200
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 403
    assert caller("s3", "delete_object", Bucket=caller.bucket, Key="models/a")["status"] == 403


def test_managed_policies_apply_in_their_default_version(caller: Caller) -> None:
    """The default version of a managed policy applies as soon as it becomes the default.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
    """
    iam = caller.localstack.client("iam")
    arn = iam.create_policy(
        PolicyName=f"managed-{uuid.uuid4().hex[:8]}",
        PolicyDocument=document(allow("s3:GetObject", f"{caller.bucket_arn}/models/*")),
    )["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=caller.role, PolicyArn=arn)
    caller.may(allow("sqs:*", "*"))  # in addition to an inline policy
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 200
    iam.create_policy_version(
        PolicyArn=arn,
        PolicyDocument=document(allow("s3:GetObject", f"{caller.bucket_arn}/other")),
        SetAsDefault=True,
    )
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 403
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 200


def test_aws_managed_policies_apply(caller: Caller) -> None:
    """A role may have AWS's own managed policies."""
    caller.localstack.client("iam").attach_role_policy(
        RoleName=caller.role, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    )
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 200
    assert caller("s3", "delete_object", Bucket=caller.bucket, Key="other")["status"] == 403


def test_arn_conditions_see_the_role(caller: Caller) -> None:
    """`aws:PrincipalArn` is the role's ARN, not the session's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    for role_arn, status in ((caller.role_arn, 200), (caller.arn, 403)):
        condition = {"ArnEquals": {"aws:PrincipalArn": role_arn}}
        caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/*", Condition=condition))
        got = caller("s3", "get_object", Bucket=caller.bucket, Key="other")
        assert got["status"] == status


def test_a_variable_is_replaced_by_the_value_of_the_session(caller: Caller) -> None:
    """`${aws:PrincipalTag/…}` in a resource is replaced by the role's tag.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    iam = caller.localstack.client("iam")
    iam.tag_role(RoleName=caller.role, Tags=[{"Key": "folder", "Value": "models"}])
    caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/${{aws:PrincipalTag/folder}}/*"))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 200
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 403


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_condition_that_is_not_understood_denies_and_is_logged(
    caller: Caller, effect: str
) -> None:
    """Whatever the effect, the emulator never allows what AWS might refuse."""
    unknown = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    statement = allow("s3:GetObject", f"{caller.bucket_arn}/*", Condition=unknown, Sid="Org")
    caller.may(allow("s3:GetObject", "*"), name="all") if effect == "Deny" else None
    caller.may({**statement, "Effect": effect})
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 403
    line = caller.log_lines()[-1]
    assert "not understood" in line
    assert "the condition key aws:PrincipalOrgID" in line
    assert 'statement "Org" of inline policy "test"' in line


def test_a_permissions_boundary_narrows(caller: Caller) -> None:
    """What the boundary does not allow is refused, whatever the role's policies allow.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    iam = caller.localstack.client("iam")
    arn = iam.create_policy(
        PolicyName=f"boundary-{uuid.uuid4().hex[:8]}",
        PolicyDocument=document(allow("s3:GetObject", f"{caller.bucket_arn}/models/*")),
    )["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=caller.role, PermissionsBoundary=arn)
    caller.may(allow("s3:GetObject", "*"))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 200
    refused = caller("s3", "get_object", Bucket=caller.bucket, Key="other")
    assert refused["Message"].endswith(
        "because no permissions boundary allows the s3:GetObject action"
    )
    assert f"the permissions boundary {arn}" in caller.log_lines()[-1]


def test_a_session_policy_narrows_and_any_session_of_the_role_is_checked(caller: Caller) -> None:
    """Credentials from AssumeRole are checked like a function's, and a session policy narrows them.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    caller.may(allow("s3:GetObject", "*"))
    answer = caller.localstack.client("sts").assume_role(
        RoleArn=caller.role_arn,
        RoleSessionName="narrow",
        Policy=document(allow("s3:GetObject", f"{caller.bucket_arn}/models/*")),
    )["Credentials"]
    s3 = boto3.client(
        "s3",
        endpoint_url=caller.localstack.url,
        region_name="us-east-1",
        aws_access_key_id=answer["AccessKeyId"],
        aws_secret_access_key=answer["SecretAccessKey"],
        aws_session_token=answer["SessionToken"],
    )
    assert s3.get_object(Bucket=caller.bucket, Key="models/a")["Body"].read() == b"a"
    with pytest.raises(ClientError, match="because no session policy allows the s3:GetObject"):
        s3.get_object(Bucket=caller.bucket, Key="other")

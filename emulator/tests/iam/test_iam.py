"""Calls that functions make with their role's credentials, on a real LocalStack."""

import json
import os
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from conftest import CLI, Function, LocalStack, create_function, start_localstack, wait_for

# Calls what the event names, and says how that ended.
CALLER = """
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

def handler(event, context):
    client = boto3.client(event["service"])
    try:
        if event["call"] == "presign":
            config = Config(signature_version=event["with"].pop("version"))
            client = boto3.client("s3", config=config)
            return client.generate_presigned_url("get_object", Params=event["with"])
        if event["call"] == "form":
            return client.generate_presigned_post(**event["with"])
        answer = getattr(client, event["call"])(**event["with"])
    except ClientError as exc:
        status = exc.response["ResponseMetadata"]["HTTPStatusCode"]
        return {"status": status, **exc.response["Error"]}
    return {"status": answer["ResponseMetadata"]["HTTPStatusCode"]}
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(action: str | list[str], resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str | list[str], resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def status_of(request: str | urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as exc:
        return exc.code


@dataclass
class Caller:
    """A function with a role of its own, whose policies a test sets."""

    localstack: LocalStack
    function: Function
    role: str
    bucket: str

    @property
    def arn(self) -> str:
        return f"arn:aws:sts::000000000000:assumed-role/{self.role}/{self.function.name}"

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::000000000000:role/{self.role}"

    @property
    def bucket_arn(self) -> str:
        return f"arn:aws:s3:::{self.bucket}"

    def may(self, *statements: dict[str, Any], name: str = "test") -> None:
        """Make these statements the role's inline policy of that name."""
        iam = self.localstack.client("iam")
        iam.put_role_policy(
            RoleName=self.role, PolicyName=name, PolicyDocument=document(*statements)
        )

    def bucket_policy(self, *statements: dict[str, Any]) -> None:
        s3 = self.localstack.client("s3")
        s3.put_bucket_policy(Bucket=self.bucket, Policy=document(*statements))

    def __call__(self, service: str, call: str, **parameters: Any) -> Any:
        payload, error, log = self.function.invoke(
            {"service": service, "call": call, "with": parameters}
        )
        assert error is None, log
        return payload

    def log_lines(self) -> list[str]:
        """Return what LocalStack has logged of this role."""
        text = (self.localstack.state / "localstack.log").read_text()
        return [line for line in text.splitlines() if self.role in line and "IAM " in line]


def make_caller(localstack: LocalStack) -> Caller:
    name = f"caller-{uuid.uuid4().hex[:8]}"
    iam = localstack.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    function = create_function(localstack, CALLER, Role=role["Arn"], Timeout=30)
    s3 = localstack.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="models/a", Body=b"a")
    s3.put_object(Bucket=name, Key="other", Body=b"other")
    return Caller(localstack, function, name, name)


@pytest.fixture(scope="module")
def shared_caller(localstack: LocalStack) -> Iterator[Caller]:
    caller = make_caller(localstack)
    yield caller
    localstack.client("lambda").delete_function(FunctionName=caller.function.name)


@pytest.fixture
def caller(shared_caller: Caller) -> Iterator[Caller]:
    """A function whose role may do nothing yet."""
    yield shared_caller
    iam = shared_caller.localstack.client("iam")
    role = shared_caller.role
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
    if "PermissionsBoundary" in iam.get_role(RoleName=role)["Role"]:
        iam.delete_role_permissions_boundary(RoleName=role)
    shared_caller.localstack.client("s3").delete_bucket_policy(Bucket=shared_caller.bucket)


def test_refuses_what_no_policy_allows_in_the_words_of_aws(caller: Caller) -> None:
    """S3 answers 403 AccessDenied, with AWS's message.

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


def test_logs_one_line_with_the_statement_that_is_missing(caller: Caller) -> None:
    """The line names principal, action, resource and statement; adding that statement helps."""
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


def test_actions_have_no_case_and_resources_have(caller: Caller) -> None:
    """`Action` matches in any case, `Resource` only as it is written.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    caller.may(allow("S3:getobject", f"{caller.bucket_arn}/models/*"))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 200
    caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/Models/*"))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 403


def test_an_explicit_deny_wins_and_the_log_names_the_statement(caller: Caller) -> None:
    """A Deny holds whatever else allows; the line in the log leads to it.

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
    """`NotAction` and `NotResource` stand for everything that they do not name.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html
    """
    others = {"NotAction": "s3:DeleteObject", "NotResource": f"{caller.bucket_arn}/other"}
    caller.may({"Effect": "Allow", **others})
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 200
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 403
    assert caller("s3", "delete_object", Bucket=caller.bucket, Key="models/a")["status"] == 403


def test_managed_policies_count_in_their_default_version(caller: Caller) -> None:
    """Of a managed policy, the default version counts, from the moment it is one.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
    """
    iam = caller.localstack.client("iam")
    arn = iam.create_policy(
        PolicyName=f"managed-{uuid.uuid4().hex[:8]}",
        PolicyDocument=document(allow("s3:GetObject", f"{caller.bucket_arn}/models/*")),
    )["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=caller.role, PolicyArn=arn)
    caller.may(allow("sqs:*", "*"))  # beside an inline policy
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 200
    iam.create_policy_version(
        PolicyArn=arn,
        PolicyDocument=document(allow("s3:GetObject", f"{caller.bucket_arn}/other")),
        SetAsDefault=True,
    )
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 403
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 200


def test_policies_of_aws_count(caller: Caller) -> None:
    """A role may have AWS's own managed policies."""
    caller.localstack.client("iam").attach_role_policy(
        RoleName=caller.role, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    )
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 200
    assert caller("s3", "delete_object", Bucket=caller.bucket, Key="other")["status"] == 403


def test_a_prefix_limits_a_listing(caller: Caller) -> None:
    """A listing passes with the prefix that the policy wants, and with no other.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
    """
    only = {"StringLike": {"s3:prefix": "models/*"}}
    caller.may(allow("s3:ListBucket", caller.bucket_arn, Condition=only))
    for call in ("list_objects_v2", "list_objects"):
        assert caller("s3", call, Bucket=caller.bucket, Prefix="models/")["status"] == 200
        assert caller("s3", call, Bucket=caller.bucket, Prefix="other")["status"] == 403
        assert caller("s3", call, Bucket=caller.bucket)["status"] == 403


def test_the_endpoint_counts_as_secure(caller: Caller) -> None:
    """The policies that demand TLS on AWS do not refuse the emulator's own endpoint.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/*"))
    caller.bucket_policy(deny("s3:*", f"{caller.bucket_arn}/*", Principal="*", Condition=insecure))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 200
    insecure["Bool"]["aws:SecureTransport"] = "true"
    caller.bucket_policy(deny("s3:*", f"{caller.bucket_arn}/*", Principal="*", Condition=insecure))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 403


def test_arn_conditions_see_the_role(caller: Caller) -> None:
    """aws:PrincipalArn is the role's ARN, not the session's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    for role_arn, status in ((caller.role_arn, 200), (caller.arn, 403)):
        condition = {"ArnEquals": {"aws:PrincipalArn": role_arn}}
        caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/*", Condition=condition))
        got = caller("s3", "get_object", Bucket=caller.bucket, Key="other")
        assert got["status"] == status


def test_a_variable_stands_for_the_sessions_value(caller: Caller) -> None:
    """`${aws:PrincipalTag/…}` in a resource is the role's tag.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    iam = caller.localstack.client("iam")
    iam.tag_role(RoleName=caller.role, Tags=[{"Key": "folder", "Value": "models"}])
    caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/${{aws:PrincipalTag/folder}}/*"))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="models/a")["status"] == 200
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 403


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_condition_that_is_not_understood_denies_and_says_so(caller: Caller, effect: str) -> None:
    """Whatever its effect: the emulator never lets pass what AWS might refuse."""
    unknown = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    statement = allow("s3:GetObject", f"{caller.bucket_arn}/*", Condition=unknown, Sid="Org")
    caller.may(allow("s3:GetObject", "*"), name="all") if effect == "Deny" else None
    caller.may({**statement, "Effect": effect})
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 403
    line = caller.log_lines()[-1]
    assert "not understood" in line
    assert "the condition key aws:PrincipalOrgID" in line
    assert 'statement "Org" of inline policy "test"' in line


def test_a_bucket_policy_denies_the_principals_that_it_names(caller: Caller) -> None:
    """Role, session, account and everyone are names of the caller; other roles are not.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    caller.may(allow("s3:GetObject", "*"))
    account = "arn:aws:iam::000000000000:root"
    for named in (caller.role_arn, caller.arn, account, "000000000000", "*"):
        caller.bucket_policy(
            deny("s3:GetObject", f"{caller.bucket_arn}/*", Principal={"AWS": named})
        )
        refused = caller("s3", "get_object", Bucket=caller.bucket, Key="other")
        assert refused["status"] == 403, named
        assert refused["Message"].endswith("with an explicit deny in a resource-based policy")
        assert f"the policy of bucket {caller.bucket}" in caller.log_lines()[-1]
    caller.bucket_policy(
        deny("s3:GetObject", f"{caller.bucket_arn}/*", Principal={"AWS": f"{caller.role_arn}x"})
    )
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 200


def test_a_bucket_policy_alone_allows_a_role_of_the_same_account(caller: Caller) -> None:
    """Allowed by one of both policies is allowed; naming the account leaves it to the role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
    """
    for named, status in (
        (caller.role_arn, 200),
        (caller.arn, 200),
        ("arn:aws:iam::000000000000:root", 403),
    ):
        caller.bucket_policy(
            allow("s3:GetObject", f"{caller.bucket_arn}/*", Principal={"AWS": named})
        )
        got = caller("s3", "get_object", Bucket=caller.bucket, Key="other")
        assert got["status"] == status, named


def test_a_permissions_boundary_narrows(caller: Caller) -> None:
    """What the boundary does not allow is refused, whatever the role's policies say.

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
    """Not only functions have a role's credentials, and AssumeRole can take some of them away.

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


def test_a_missing_object_is_403_without_list_bucket(caller: Caller) -> None:
    """Who may not list a bucket does not learn what is not in it.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/*"))
    missing = {"Bucket": caller.bucket, "Key": "missing"}
    refused = caller("s3", "get_object", **missing)
    assert (refused["status"], refused["Code"]) == (403, "AccessDenied")
    assert "s3:ListBucket" in refused["Message"]
    assert f'"Action": "s3:ListBucket", "Resource": "{caller.bucket_arn}"' in caller.log_lines()[-1]
    # An answer to HEAD has no body: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    assert caller("s3", "head_object", **missing) == {
        "status": 403,
        "Code": "403",
        "Message": "Forbidden",
    }
    caller.may(
        allow("s3:GetObject", f"{caller.bucket_arn}/*"), allow("s3:ListBucket", caller.bucket_arn)
    )
    assert caller("s3", "get_object", **missing)["Code"] == "NoSuchKey"
    assert caller("s3", "head_object", **missing)["status"] == 404


def test_copying_needs_both_ends(caller: Caller) -> None:
    """A copy needs to read the source and to write the target.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    """
    copy = {
        "Bucket": caller.bucket,
        "Key": "models/copy",
        "CopySource": {"Bucket": caller.bucket, "Key": "other"},
    }
    read = allow("s3:GetObject", f"{caller.bucket_arn}/other")
    write = allow("s3:PutObject", f"{caller.bucket_arn}/models/*")
    for statements, status in (([read], 403), ([write], 403), ([read, write], 200)):
        caller.may(*statements)
        assert caller("s3", "copy_object", **copy)["status"] == status


def test_a_refused_upload_leaves_no_object(caller: Caller) -> None:
    """The body of a refused call is thrown away, and the connection still works."""
    upload = {"Bucket": caller.bucket, "Key": "models/b", "Body": "b" * 1_000_000}
    assert caller("s3", "put_object", **upload)["Code"] == "AccessDenied"
    caller.may(allow(["s3:GetObject", "s3:ListBucket"], "*"))
    assert caller("s3", "head_object", Bucket=caller.bucket, Key="models/b")["status"] == 404
    caller.may(allow("s3:PutObject", f"{caller.bucket_arn}/models/b"))
    assert caller("s3", "put_object", **upload)["status"] == 200


def test_a_form_can_upload_what_its_signer_may(caller: Caller) -> None:
    """The signature of an upload by form stands in the form.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/HTTPPOSTExamples.html
    """
    post = caller("s3", "form", Bucket=caller.bucket, Key="models/${filename}")

    def status(name: str) -> int:
        boundary = uuid.uuid4().hex
        parts = [f'name="{key}"\r\n\r\n{value}' for key, value in post["fields"].items()]
        parts.append(f'name="file"; filename="{name}"\r\n\r\ncontent')
        body = "".join(
            f"--{boundary}\r\nContent-Disposition: form-data; {part}\r\n" for part in parts
        )
        request = urllib.request.Request(
            post["url"],
            data=f"{body}--{boundary}--\r\n".encode(),
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        return status_of(request)

    caller.may(allow("s3:PutObject", f"{caller.bucket_arn}/models/a-form"))
    assert status("a-form") == 204
    assert status("another") == 403


def test_a_presigned_url_can_what_its_signer_may(caller: Caller) -> None:
    """The URL is worth what its signer may do when it is used.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
    """
    for version in ("s3", "s3v4"):
        url = caller("s3", "presign", version=version, Bucket=caller.bucket, Key="other")
        caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/models/*"))
        assert status_of(url) == 403
        caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/other"))
        assert status_of(url) == 200


def test_other_services_refuse_in_their_own_protocol(caller: Caller) -> None:
    """The code and the status are those of each service.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html
    https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
    """
    name = caller.function.name
    expected = {
        ("lambda", "invoke"): ("AccessDeniedException", 403, {"FunctionName": name}),
        ("dynamodb", "describe_table"): ("AccessDeniedException", 400, {"TableName": "movies"}),
        ("sns", "list_topics"): ("AuthorizationError", 403, {}),
        ("iam", "list_roles"): ("AccessDenied", 403, {}),
        ("sqs", "get_queue_url"): ("AccessDenied", 403, {"QueueName": "orders"}),
    }
    for (service, call), (code, status, parameters) in expected.items():
        refused = caller(service, call, **parameters)
        assert (refused["Code"], refused["status"]) == (code, status), service
        assert f"User: {caller.arn} is not authorized to perform: {service}:" in refused["Message"]


def test_resources_of_other_services_are_named_by_their_arn(caller: Caller) -> None:
    """A statement for one secret, queue, parameter or log group is enough for it, and only for it.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    name = caller.role
    here = "us-east-1:000000000000"
    client = caller.localstack.client
    client("secretsmanager").create_secret(Name=name, SecretString="s")
    client("ssm").put_parameter(Name=f"/{name}/p", Value="p", Type="String")
    url = client("sqs").create_queue(QueueName=name)["QueueUrl"]
    client("logs").create_log_group(logGroupName=name)
    calls: list[tuple[str, str, dict[str, Any], str]] = [
        # The ARN of a secret ends in six characters that AWS chooses.
        (
            "secretsmanager",
            "get_secret_value",
            {"SecretId": name},
            f"arn:aws:secretsmanager:{here}:secret:{name}-??????",
        ),
        (
            "ssm",
            "get_parameter",
            {"Name": f"/{name}/p"},
            f"arn:aws:ssm:{here}:parameter/{name}/*",
        ),
        ("sqs", "receive_message", {"QueueUrl": url}, f"arn:aws:sqs:{here}:{name}"),
        (
            "logs",
            "create_log_stream",
            {"logGroupName": name, "logStreamName": "s"},
            f"arn:aws:logs:{here}:log-group:{name}:*",
        ),
    ]
    for service, call, parameters, resource in calls:
        caller.may(allow(f"{service}:*", f"{resource}x"))
        assert "not authorized" in caller(service, call, **parameters)["Message"], service
        caller.may(allow(f"{service}:*", resource))
        assert caller(service, call, **parameters) == {"status": 200}, service


def test_invoking_another_function_is_lambda_invoke_function(caller: Caller) -> None:
    """The action is not named as the operation, which is Invoke.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
    """
    other = create_function(caller.localstack, "def handler(event, context): return 1")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{other.name}"
    caller.may(allow("lambda:InvokeFunction", arn))
    assert caller("lambda", "invoke", FunctionName=other.name)["status"] == 200
    assert caller("lambda", "invoke", FunctionName=caller.function.name)["status"] == 403
    caller.localstack.client("lambda").delete_function(FunctionName=other.name)


def test_anyone_may_ask_who_they_are(caller: Caller) -> None:
    """GetCallerIdentity needs no permission, and not even a Deny stops it.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    caller.may(deny("sts:GetCallerIdentity", "*"))
    assert caller("sts", "get_caller_identity")["status"] == 200


def test_a_functions_own_log_needs_no_permission(caller: Caller) -> None:
    """Lambda writes START, END and REPORT here, whatever the role may do."""
    caller("sts", "get_caller_identity")

    wait_for(lambda: any("REPORT" in line for line in caller.function.events()), what="REPORT")


def test_credentials_of_users_are_not_checked(caller: Caller) -> None:
    """Whoever deploys or tests, with any access key, may do everything."""
    s3 = caller.localstack.client("s3")
    assert s3.get_object(Bucket=caller.bucket, Key="other")["Body"].read() == b"other"


def test_a_role_that_does_not_exist_is_not_checked_and_logged_once(localstack: LocalStack) -> None:
    """Without a role there is no policy to check; the log says so, once for each role."""
    role = f"nobody-{uuid.uuid4().hex[:8]}"
    function = create_function(
        localstack, CALLER, Role=f"arn:aws:iam::000000000000:role/{role}", Timeout=30
    )
    event = {"service": "s3", "call": "list_buckets", "with": {}}
    for _ in range(2):
        assert function.invoke(event)[0] == {"status": 200}
    log = (localstack.state / "localstack.log").read_text()
    [line] = [
        line for line in log.splitlines() if role in line and "IAM does not check calls" in line
    ]
    assert line.endswith("the role does not exist")
    localstack.client("lambda").delete_function(FunctionName=function.name)


def test_iam_enforce_off_checks_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """``IAM_ENFORCE=off`` is LocalStack's own behaviour; `/_localstack/parity` says which it is."""
    localstack = start_localstack(tmp_path_factory.mktemp("off"), IAM_ENFORCE="off")
    try:
        caller = make_caller(localstack)
        assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 200
        assert localstack.info()["iam"] == "off"
    finally:
        localstack.stop()


def test_a_switch_that_is_neither_on_nor_off_stops_the_start(tmp_path: Path) -> None:
    """A mistyped setting must not turn the checks on or off in silence."""
    ended = subprocess.run(
        [*CLI, "start", "--state-dir", str(tmp_path)],
        env={**os.environ, "IAM_ENFORCE": "no"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == "error: IAM_ENFORCE is 'no'; it must be on (the default) or off\n"


def test_iam_is_on_by_default(localstack: LocalStack) -> None:
    """`/_localstack/parity` says that policies are enforced."""
    assert localstack.info()["iam"] == "on"

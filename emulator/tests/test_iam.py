"""Calls that functions make with their role's credentials, on a real LocalStack."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from conftest import Function, LocalStack, create_function

# Calls what the event names, and says how that ended.
CALLER = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    client = boto3.client(event["service"])
    try:
        if event["call"] == "presign":
            return client.generate_presigned_url("get_object", Params=event["with"])
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

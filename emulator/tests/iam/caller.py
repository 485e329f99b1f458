"""A function with a role of its own, which makes the calls that a test needs."""

import json
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any

from conftest import Function, LocalStack, create_function

# Makes the call that the event names, and returns the outcome.
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
    """A function with a role of its own, whose policies the tests set."""

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
        """Set the role's inline policy of that name to these statements."""
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
        """Return the lines that LocalStack has logged about this role."""
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

"""The actions, resources and condition keys of a call; no LocalStack."""

from typing import Any

import pytest
from localstack_parity.iam.actions import Call, accesses
from localstack_parity.iam.context import condition_keys
from localstack_parity.iam.policy import Principal

B = "arn:aws:s3:::b"
K = f"{B}/k"


def call(service: str, operation: str, **params: Any) -> Call:
    return Call(service, operation, params, region="eu-west-1", account="123456789012")


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        ("ListBuckets", {}, [("ListAllMyBuckets", "arn:aws:s3:::*")]),
        ("ListObjects", {"Bucket": "b"}, [("ListBucket", B)]),
        ("ListObjectsV2", {"Bucket": "b"}, [("ListBucket", B)]),
        ("HeadBucket", {"Bucket": "b"}, [("ListBucket", B)]),
        ("ListObjectVersions", {"Bucket": "b"}, [("ListBucketVersions", B)]),
        ("ListMultipartUploads", {"Bucket": "b"}, [("ListBucketMultipartUploads", B)]),
        ("CreateBucket", {"Bucket": "b"}, [("CreateBucket", B)]),
        ("GetBucketPolicy", {"Bucket": "b"}, [("GetBucketPolicy", B)]),
        ("DeleteBucketCors", {"Bucket": "b"}, [("PutBucketCORS", B)]),
        ("DeleteBucketEncryption", {"Bucket": "b"}, [("PutEncryptionConfiguration", B)]),
        (
            "ListBucketInventoryConfigurations",
            {"Bucket": "b"},
            [("GetInventoryConfiguration", B)],
        ),
        (
            "DeleteBucketMetricsConfiguration",
            {"Bucket": "b"},
            [("PutMetricsConfiguration", B)],
        ),
        ("GetPublicAccessBlock", {"Bucket": "b"}, [("GetBucketPublicAccessBlock", B)]),
        ("GetObject", {"Bucket": "b", "Key": "k"}, [("GetObject", K)]),
        ("GetObject", {"Bucket": "b", "Key": "k", "VersionId": "1"}, [("GetObjectVersion", K)]),
        ("HeadObject", {"Bucket": "b", "Key": "k"}, [("GetObject", K)]),
        ("HeadObject", {"Bucket": "b", "Key": "k", "VersionId": "1"}, [("GetObjectVersion", K)]),
        (
            "GetObjectAttributes",
            {"Bucket": "b", "Key": "k"},
            [("GetObject", K), ("GetObjectAttributes", K)],
        ),
        ("PutObject", {"Bucket": "b", "Key": "k"}, [("PutObject", K)]),
        (
            "PutObject",
            {"Bucket": "b", "Key": "k", "ACL": "private", "Tagging": "a=b"},
            [("PutObject", K), ("PutObjectAcl", K), ("PutObjectTagging", K)],
        ),
        ("CreateMultipartUpload", {"Bucket": "b", "Key": "k"}, [("PutObject", K)]),
        ("UploadPart", {"Bucket": "b", "Key": "k"}, [("PutObject", K)]),
        ("CompleteMultipartUpload", {"Bucket": "b", "Key": "k"}, [("PutObject", K)]),
        ("AbortMultipartUpload", {"Bucket": "b", "Key": "k"}, [("AbortMultipartUpload", K)]),
        ("ListParts", {"Bucket": "b", "Key": "k"}, [("ListMultipartUploadParts", K)]),
        ("DeleteObject", {"Bucket": "b", "Key": "k"}, [("DeleteObject", K)]),
        (
            "DeleteObject",
            {"Bucket": "b", "Key": "k", "VersionId": "1", "BypassGovernanceRetention": True},
            [("DeleteObjectVersion", K), ("BypassGovernanceRetention", K)],
        ),
        (
            "DeleteObjects",
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "k"}, {"Key": "l", "VersionId": "1"}]}},
            [("DeleteObject", K), ("DeleteObjectVersion", f"{B}/l")],
        ),
        (
            "CopyObject",
            {"Bucket": "b", "Key": "k", "CopySource": "/from/a%20b?versionId=1"},
            [("GetObjectVersion", "arn:aws:s3:::from/a b"), ("PutObject", K)],
        ),
        (
            "UploadPartCopy",
            {"Bucket": "b", "Key": "k", "CopySource": "from/a"},
            [("GetObject", "arn:aws:s3:::from/a"), ("PutObject", K)],
        ),
    ],
)
def test_s3(operation: str, params: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """S3's actions are those of AWS's documented table.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
    """
    got = accesses(call("s3", operation, **params))
    assert got == [(f"s3:{action}", resource) for action, resource in expected]


def here(service: str, resource: str) -> str:
    return f"arn:aws:{service}:eu-west-1:123456789012:{resource}"


F = here("lambda", "function:f")
T = here("dynamodb", "table/t")
TOPIC = here("sns", "t")
MACHINE = here("states", "stateMachine:m")


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    [
        ("lambda", "Invoke", {"FunctionName": "f"}, [("InvokeFunction", F)]),
        ("lambda", "Invoke", {"FunctionName": "f:live"}, [("InvokeFunction", f"{F}:live")]),
        ("lambda", "Invoke", {"FunctionName": F}, [("InvokeFunction", F)]),
        (
            "lambda",
            "Invoke",
            {"FunctionName": F, "Qualifier": "1"},
            [("InvokeFunction", f"{F}:1")],
        ),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "123456789012:function:f"},
            [("InvokeFunction", F)],
        ),
        ("lambda", "GetFunction", {"FunctionName": "f"}, [("GetFunction", F)]),
        ("lambda", "ListFunctions", {}, [("ListFunctions", "*")]),
        ("dynamodb", "PutItem", {"TableName": "t"}, [("PutItem", T)]),
        ("dynamodb", "PutItem", {"TableName": T}, [("PutItem", T)]),
        ("dynamodb", "Query", {"TableName": "t", "IndexName": "i"}, [("Query", f"{T}/index/i")]),
        (
            "dynamodb",
            "BatchGetItem",
            {"RequestItems": {"t": {}, "u": {}}},
            [("BatchGetItem", T), ("BatchGetItem", here("dynamodb", "table/u"))],
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "t"}}, {"Delete": {"TableName": "t"}}]},
            [("DeleteItem", T), ("PutItem", T)],
        ),
        ("dynamodb", "TransactWriteItems", {"TransactItems": []}, [("GetItem", None)]),
        (
            "sqs",
            "SendMessageBatch",
            {"QueueUrl": "http://localhost:4566/123456789012/q"},
            [("SendMessage", here("sqs", "q"))],
        ),
        ("sqs", "CreateQueue", {"QueueName": "q"}, [("CreateQueue", here("sqs", "q"))]),
        ("sns", "Publish", {"TopicArn": TOPIC}, [("Publish", TOPIC)]),
        ("sns", "PublishBatch", {"TopicArn": TOPIC}, [("Publish", TOPIC)]),
        ("sns", "Publish", {"PhoneNumber": "+1"}, [("Publish", "*")]),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "/g", "logStreamName": "s"},
            [("PutLogEvents", here("logs", "log-group:/g:log-stream:s"))],
        ),
        (
            "logs",
            "CreateLogGroup",
            {"logGroupName": "/g"},
            [("CreateLogGroup", here("logs", "log-group:/g:log-stream:"))],
        ),
        (
            "ssm",
            "GetParameters",
            {"Names": ["/a/b", "c"]},
            [
                ("GetParameters", here("ssm", "parameter/a/b")),
                ("GetParameters", here("ssm", "parameter/c")),
            ],
        ),
        (
            "ssm",
            "GetParametersByPath",
            {"Path": "/"},
            [("GetParametersByPath", here("ssm", "parameter/"))],
        ),
        ("kms", "Decrypt", {"KeyId": "k"}, [("Decrypt", here("kms", "key/k"))]),
        ("kms", "Decrypt", {"KeyId": "alias/k"}, [("Decrypt", None)]),
        ("states", "StartExecution", {"stateMachineArn": MACHINE}, [("StartExecution", MACHINE)]),
        (
            "events",
            "PutEvents",
            {"Entries": [{}, {"EventBusName": "b"}]},
            [
                ("PutEvents", here("events", "event-bus/b")),
                ("PutEvents", here("events", "event-bus/default")),
            ],
        ),
        ("events", "PutEvents", {"Entries": []}, [("PutEvents", None)]),
        (
            "kinesis",
            "PutRecord",
            {"StreamName": "s"},
            [("PutRecord", here("kinesis", "stream/s"))],
        ),
        (
            "sts",
            "AssumeRole",
            {"RoleArn": "arn:aws:iam::123456789012:role/r"},
            [("AssumeRole", "arn:aws:iam::123456789012:role/r")],
        ),
        ("cloudwatch", "PutMetricData", {"Namespace": "n"}, [("PutMetricData", "*")]),
        ("ec2", "DescribeInstances", {}, [("DescribeInstances", None)]),
    ],
)
def test_other_services(
    service: str, operation: str, params: dict[str, Any], expected: list[tuple[str, str | None]]
) -> None:
    """The resource is the one that the service's page names, or "*" if it names none.

    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    got = accesses(call(service, operation, **params))
    assert got == [(f"{service}:{action}", resource) for action, resource in expected]


def test_api_gateway_is_checked_by_method_and_path() -> None:
    """The actions are HTTP methods, and the resources are paths.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-iam-policy-examples.html
    """
    got = accesses(
        Call("apigateway", "GetRestApis", {}, "eu-west-1", "1", method="GET", path="/restapis")
    )
    assert got == [("apigateway:GET", "arn:aws:apigateway:eu-west-1::/restapis")]


def keys_of(one: Call, **headers: str) -> Any:
    role = Principal("123456789012", "arn:aws:iam::123456789012:role/r", "session")
    return condition_keys(one, role, "AROA:f", {"team": "ml"}, headers, "127.0.0.1").get


def test_condition_keys_of_a_listing() -> None:
    """Keys of a listing have the values of the request; without one they are absent, not unknown."""
    listing = keys_of(call("s3", "ListObjectsV2", Bucket="b", Prefix="", MaxKeys=5))
    assert listing("s3:prefix") == ""
    assert listing("s3:max-keys") == "5"
    assert listing("s3:delimiter") is None
    assert keys_of(call("s3", "GetObject", Bucket="b", Key="k"))("s3:prefix") is None
    assert keys_of(call("sqs", "ListQueues"))("s3:prefix") is None


def test_condition_keys_of_the_principal_and_the_network() -> None:
    """A key that AWS knows has a value, is known to be absent, or is reported as unknown.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    get = keys_of(call("s3", "PutObject"), **{"x-amz-server-side-encryption": "aws:kms"})
    assert get("aws:SecureTransport") == "true"
    assert get("aws:PrincipalTag/Team") == "ml"
    assert get("aws:PrincipalTag/other") is None
    assert get("aws:RequestedRegion") == "eu-west-1"
    assert get("aws:username") is None
    assert get("s3:x-amz-server-side-encryption") == "aws:kms"
    assert get("s3:x-amz-acl") is None
    assert "aws:MultiFactorAuthPresent" in get("aws:MultiFactorAuthPresent").reason

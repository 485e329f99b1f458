"""Calls to services other than S3, and calls that are not checked, on a real LocalStack."""

import uuid
from typing import Any

from conftest import LocalStack, create_function, wait_for
from iam.caller import CALLER, Caller, allow, deny


def test_other_services_refuse_with_their_own_errors(caller: Caller) -> None:
    """The error code and the status are each service's own.

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
    """A statement for one secret, queue, parameter or log group allows calls to it, and to no other.

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


def test_invoking_another_function_needs_lambda_invoke_function(caller: Caller) -> None:
    """The action is `lambda:InvokeFunction`, although the operation is called `Invoke`.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
    """
    other = create_function(caller.localstack, "def handler(event, context): return 1")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{other.name}"
    caller.may(allow("lambda:InvokeFunction", arn))
    assert caller("lambda", "invoke", FunctionName=other.name)["status"] == 200
    assert caller("lambda", "invoke", FunctionName=caller.function.name)["status"] == 403
    caller.localstack.client("lambda").delete_function(FunctionName=other.name)


def test_get_caller_identity_needs_no_permission(caller: Caller) -> None:
    """Every caller may use `GetCallerIdentity`, and not even a Deny refuses it.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    caller.may(deny("sts:GetCallerIdentity", "*"))
    assert caller("sts", "get_caller_identity")["status"] == 200


def test_a_functions_own_log_needs_no_permission(caller: Caller) -> None:
    """The emulator logs START, END and REPORT whatever the role may do."""
    caller("sts", "get_caller_identity")

    wait_for(lambda: any("REPORT" in line for line in caller.function.events()), what="REPORT")


def test_credentials_of_users_are_not_checked(caller: Caller) -> None:
    """A person who deploys or tests, with any access key, may do everything."""
    s3 = caller.localstack.client("s3")
    assert s3.get_object(Bucket=caller.bucket, Key="other")["Body"].read() == b"other"


def test_a_role_that_does_not_exist_is_not_checked_and_logged_once(localstack: LocalStack) -> None:
    """Without a role there is no policy to check; the log says so once per role."""
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

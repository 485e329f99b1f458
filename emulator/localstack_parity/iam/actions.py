"""The actions and resources that IAM checks for a call.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localstack_parity.iam import s3

Access = s3.Access


@dataclass(frozen=True)
class Call:
    """An API call.

    Attributes
    ----------
    service : str
        The service's prefix in IAM actions, such as ``states``.
    operation : str
        The API operation, such as ``StartExecution``.
    params : mapping
        The operation's parameters, named as in the API.
    region, account, partition : str
        Where the call is made.
    method, path : str
        Method and path of the HTTP request.
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    region: str
    account: str
    partition: str = "aws"
    method: str = "POST"
    path: str = "/"

    def arn(self, resource: str, account: str | None = None) -> str:
        """Return the ARN of a resource of this service, by default in the call's account."""
        where = f"{self.region}:{self.account if account is None else account}"
        return f"arn:{self.partition}:{self.service}:{where}:{resource}"

    def get(self, *names: str) -> str | None:
        """Return the value of the first of these parameters that is set, or None."""
        return next((str(self.params[name]) for name in names if self.params.get(name)), None)


# Services whose name in a request's signature differs from their prefix in IAM actions.
_SERVICES = {"monitoring": "cloudwatch", "tagging": "tag"}

# Operations whose action has a different name.
_ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
    "lambda:InvokeWithResponseStream": "lambda:InvokeFunction",
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}

# Actions without resource-level permissions: a policy must use "Resource": "*".
_NO_RESOURCE = {
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:ListMetrics",
    "cloudwatch:PutMetricData",
    "dynamodb:DescribeLimits",
    "dynamodb:ListTables",
    "kinesis:ListStreams",
    "kms:GenerateRandom",
    "kms:ListAliases",
    "kms:ListKeys",
    "lambda:CreateEventSourceMapping",
    "lambda:GetAccountSettings",
    "lambda:ListEventSourceMappings",
    "lambda:ListFunctions",
    "lambda:ListLayers",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetRandomPassword",
    "secretsmanager:ListSecrets",
    "sns:ListTopics",
    "sqs:ListQueues",
    "ssm:DescribeParameters",
    "states:ListActivities",
    "states:ListStateMachines",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


def service_name(signing_name: str) -> str:
    """Return the prefix in IAM actions of the service that signs as `signing_name`."""
    return _SERVICES.get(signing_name, signing_name)


def accesses(call: Call) -> list[Access]:
    """Return the actions that a call needs, each with the ARN of its resource.

    The resource is ``*`` for actions without resource-level permissions, and None if this module
    cannot tell which resource the call is about.
    """
    if call.service == "s3":
        found = s3.accesses(call.operation, call.params, call.partition)
        return found or [(f"s3:{call.operation}", None)]
    if call.service == "apigateway":
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-iam-policy-examples.html
        resource = f"arn:{call.partition}:apigateway:{call.region}::{call.path}"
        return [(f"apigateway:{call.method}", resource)]
    if call.service == "dynamodb" and call.operation in _ITEMS:
        return _on_items(call) or [("dynamodb:GetItem", None)]
    action = f"{call.service}:{call.operation}"
    action = _ACTIONS.get(action, action)
    if action in _NO_RESOURCE:
        return [(action, "*")]
    named = _RESOURCES.get(call.service, _named_by_arn)(call)
    resources: list[str | None] = [*named] if isinstance(named, list) else [named]
    return [(action, one) for one in resources] or [(action, None)]


Found = str | list[str] | None


def _named_by_arn(call: Call) -> Found:
    """Return the parameter that is an ARN of this service, if there is exactly one."""
    start = f"arn:{call.partition}:{call.service}:"
    arns = {one for one in call.params.values() if isinstance(one, str) and one.startswith(start)}
    return arns.pop() if len(arns) == 1 else None


def _lambda(call: Call) -> Found:
    name = call.get("FunctionName")
    if name is None:
        return _named_by_arn(call)
    # A name, account:function:name, or an ARN; with or without :qualifier.
    _, found, rest = name.rpartition("function:")
    rest = rest if found else name
    if (qualifier := call.get("Qualifier")) and ":" not in rest:
        rest = f"{rest}:{qualifier}"
    if name.startswith("arn:"):
        return f"{name.partition(':function:')[0]}:function:{rest}"
    return call.arn(f"function:{rest}")


def _table(call: Call, name: str) -> str:
    return name if name.startswith("arn:") else call.arn(f"table/{name}")


def _dynamodb(call: Call) -> Found:
    if name := call.get("TableName"):
        index = call.get("IndexName")
        return _table(call, name) + (f"/index/{index}" if index else "")
    tables = call.params.get("RequestItems")
    return [_table(call, name) for name in tables] if tables else _named_by_arn(call)


_ITEMS = {"TransactGetItems", "TransactWriteItems"}
_ITEM_ACTIONS = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}


def _on_items(call: Call) -> list[Access]:
    """Return the accesses of a transaction: it needs the permissions of its parts.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
    """
    return sorted(
        {
            (f"dynamodb:{_ITEM_ACTIONS[kind]}", _table(call, item["TableName"]))
            for entry in call.params.get("TransactItems", [])
            for kind, item in entry.items()
            if kind in _ITEM_ACTIONS and item
        }
    )


def _sqs(call: Call) -> Found:
    if url := call.get("QueueUrl"):
        *_, account, queue = ["", *url.rstrip("/").split("/")]
        return call.arn(queue, account if account.isdigit() else None)
    name = call.get("QueueName")
    return call.arn(name) if name else None


def _sns(call: Call) -> Found:
    if call.operation == "CreateTopic":
        return call.arn(call.params["Name"])
    return call.get("TopicArn", "TargetArn") or ("*" if call.get("PhoneNumber") else None)


def _logs(call: Call) -> Found:
    """Return the ARN of a log stream; without a stream name, it means the log group.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    group, stream = call.get("logGroupName"), call.get("logStreamName")
    if group is None:
        return "*" if call.operation == "DescribeLogGroups" else _named_by_arn(call)
    return call.arn(f"log-group:{group}:log-stream:{stream or ''}")


def _secretsmanager(call: Call) -> Found:
    name = call.get("SecretId", "Name")
    if name is None or name.startswith("arn:"):
        return name
    return _secret_arn(call, name) or call.arn(f"secret:{name}")


def _secret_arn(call: Call, name: str) -> str | None:
    """Look up the secret's ARN: it ends in six characters chosen when the secret was created."""
    from moto.secretsmanager.models import secretsmanager_backends

    secret = secretsmanager_backends[call.account][call.region].secrets.get(name)
    return str(secret.arn) if secret else None


def _ssm(call: Call) -> Found:
    names = call.params.get("Names") or [call.get("Name", "Path")]
    if "Parameter" not in call.operation or None in names:
        return _named_by_arn(call)
    return [
        name if name.startswith("arn:") else call.arn(f"parameter/{name.strip('/')}")
        for name in map(str, names)
    ]


def _kms(call: Call) -> Found:
    key = call.get("KeyId")
    if key is None or key.startswith("arn:"):
        return key
    return None if key.startswith("alias/") else call.arn(f"key/{key}")


def _events(call: Call) -> Found:
    if call.operation == "PutEvents":
        buses = {entry.get("EventBusName", "default") for entry in call.params.get("Entries", [])}
        return sorted(b if b.startswith("arn:") else call.arn(f"event-bus/{b}") for b in buses)
    return _named_by_arn(call)


def _kinesis(call: Call) -> Found:
    name = call.get("StreamName")
    return call.arn(f"stream/{name}") if name else _named_by_arn(call)


def _firehose(call: Call) -> Found:
    name = call.get("DeliveryStreamName")
    return call.arn(f"deliverystream/{name}") if name else _named_by_arn(call)


def _sts(call: Call) -> Found:
    return call.get("RoleArn")


_RESOURCES: Mapping[str, Callable[[Call], Found]] = {
    "dynamodb": _dynamodb,
    "events": _events,
    "firehose": _firehose,
    "kinesis": _kinesis,
    "kms": _kms,
    "lambda": _lambda,
    "logs": _logs,
    "secretsmanager": _secretsmanager,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
    "sts": _sts,
}

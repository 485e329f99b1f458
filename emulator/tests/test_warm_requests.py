"""Metrics, logs and traces stay correct when many invocations run at once."""

import http.client
import json
import re
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from conftest import Function, LocalStack, wait_for
from test_server import deploy_api

SOURCE = """
import json, os
def handler(event, context):
    number = json.loads(event['body'])
    print(f'first {number}')
    print(f'second {number}')
    if number % 5 == 0:
        raise ValueError(number)
    trace = os.environ['_X_AMZN_TRACE_ID']
    found = {'number': number, 'request': context.aws_request_id, 'trace': trace,
             'header': event['headers']['X-Amzn-Trace-Id']}
    return {'statusCode': 200, 'body': json.dumps(found)}
"""
CLIENTS, REQUESTS = 4, 50
Create = Callable[..., Function]


def send_all(localstack: LocalStack, path: str) -> list[dict[str, Any] | None]:
    """Send the numbers from 0 upwards through several clients; None is a failed request."""

    def client(first: int) -> list[dict[str, Any] | None]:
        connection = http.client.HTTPConnection("127.0.0.1", localstack.port, timeout=60)
        found: list[dict[str, Any] | None] = []
        for number in range(first, CLIENTS * REQUESTS, CLIENTS):
            connection.request("POST", f"{path}/x", json.dumps(number))
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == (502 if number % 5 == 0 else 200), body
            found.append(json.loads(body) if answer.status == 200 else None)
        return found

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [one for part in pool.map(client, range(CLIENTS)) for one in part]


def metric(localstack: LocalStack, function: Function, name: str, statistic: str = "Sum") -> float:
    now = datetime.now(UTC)
    points = localstack.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=name,
        Dimensions=[{"Name": "FunctionName", "Value": function.name}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=5),
        Period=60,
        Statistics=[statistic],
    )["Datapoints"]
    return float(sum(point[statistic] for point in points))


def test_metrics_and_logs_of_parallel_requests(localstack: LocalStack, function: Create) -> None:
    """Each invocation is counted once, and its lines are together and in order in its stream."""
    made = function(SOURCE)
    total = CLIENTS * REQUESTS
    answers = [answer for answer in send_all(localstack, deploy_api(localstack, made)) if answer]
    assert sorted(answer["number"] for answer in answers) == [n for n in range(total) if n % 5]
    assert len({answer["request"] for answer in answers}) == len(answers)

    def all_counted() -> bool:
        counts = {"Invocations": total, "Errors": total // 5}
        return all(metric(localstack, made, name) >= count for name, count in counts.items())

    wait_for(all_counted, what="the metrics")
    assert metric(localstack, made, "Invocations") == total
    assert metric(localstack, made, "Invocations", "SampleCount") == total
    assert metric(localstack, made, "Errors") == total // 5

    wait_for(lambda: sum(map(len, logs(made).values())) >= total, what="the logs")
    numbers = {answer["request"]: answer["number"] for answer in answers}
    seen: list[int] = []
    for invocations in logs(made).values():
        for request_id, lines in invocations:
            number = int(lines[0].removeprefix("first "))
            assert lines[:2] == [f"first {number}", f"second {number}"]
            assert numbers.get(request_id, number) == number
            assert (len(lines) > 2) == (number % 5 == 0)  # the error
            seen.append(number)
    assert sorted(seen) == list(range(total))


def logs(function: Function) -> dict[str, list[tuple[str, list[str]]]]:
    """Return the request id and the lines of each completed invocation, by stream."""
    client = function.localstack.client("logs")
    group = f"/aws/lambda/{function.name}"
    if not client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        return {}
    found: dict[str, list[tuple[str, list[str]]]] = defaultdict(list)
    for stream in client.describe_log_streams(logGroupName=group)["logStreams"]:
        name = stream["logStreamName"]
        events = client.get_log_events(
            logGroupName=group, logStreamName=name, startFromHead=True, limit=10_000
        )["events"]
        assert [e["timestamp"] for e in events] == sorted(e["timestamp"] for e in events)
        text = "".join(e["message"] + ("" if e["message"].endswith("\n") else "\n") for e in events)
        text = re.sub(r"\A(INIT_START .*\n)+", "", text)
        pattern = r"START RequestId: (\S+) Version.*\n((?:.*\n)*?)END RequestId: \1\nREPORT .*\n"
        assert re.sub(pattern, "", text) == ""
        found[name] = [(m[1], m[2].splitlines()) for m in re.finditer(pattern, text)]
    return found


def test_a_function_gets_the_trace_of_its_request(localstack: LocalStack, function: Create) -> None:
    """A client's trace continues in the function; without one, API Gateway starts a trace.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    path = deploy_api(localstack, function(SOURCE))
    root = "1-5759e988-bd862e3fe1be46a994272793"
    connection = http.client.HTTPConnection("127.0.0.1", localstack.port, timeout=60)
    for sent in (f"Root={root};Parent=53995c3f42cd8ad8;Sampled=1", None):
        fields = {"X-Amzn-Trace-Id": sent} if sent else {}
        connection.request("POST", f"{path}/x", "1", fields)
        found = json.loads(connection.getresponse().read())
        # LocalStack samples every invocation.
        trace, header = (found[name].partition(";Sampled=")[0] for name in ("trace", "header"))
        assert trace == header
        assert found["trace"].startswith(f"Root={root};" if sent else "Root=1-")


def test_the_last_logs_of_a_version_are_delivered(localstack: LocalStack, function: Create) -> None:
    """Logs from just before an update of the function reach CloudWatch."""
    made = function("def handler(event, context):\n    print('old', event)\n")
    for number in range(20):
        made.invoke(number)
    made.update("def handler(event, context):\n    print('new', event)\n")
    made.invoke(20)

    def logged() -> list[str]:
        return [event for event in made.events() if event.startswith(("old", "new"))]

    wait_for(lambda: len(logged()) >= 21, what="all logs")
    assert sorted(logged()) == sorted(["new 20\n", *(f"old {number}\n" for number in range(20))])


def test_subscribers_get_the_logs(localstack: LocalStack, function: Create) -> None:
    """A subscription filter on a function's log group receives its events."""
    subscriber = function(
        "import base64, gzip, json\n"
        "def handler(event, context):\n"
        "    data = json.loads(gzip.decompress(base64.b64decode(event['awslogs']['data'])))\n"
        "    print('got', sum('hello' in e['message'] for e in data['logEvents']))\n"
    )
    made = function("def handler(event, context):\n    print('hello')\n")
    made.invoke()
    wait_for(made.events, what="the log group")
    made.localstack.client("logs").put_subscription_filter(
        logGroupName=f"/aws/lambda/{made.name}",
        filterName="all",
        filterPattern="",
        destinationArn=f"arn:aws:lambda:us-east-1:000000000000:function:{subscriber.name}",
    )
    made.invoke()
    wait_for(lambda: "got 1\n" in subscriber.events(), what="the subscriber's log")

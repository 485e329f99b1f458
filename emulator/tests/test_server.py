"""Connections: requests on the fast path, and requests that Twisted serves."""

import io
import json
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from typing import Any

import pytest
from conftest import Function, LocalStack, create_function

ECHO = (
    "import json\n"
    "def handler(event, context):\n"
    "    return {'statusCode': 200, 'body': json.dumps(event), 'headers': {'X-Own-Name': 'v'}}\n"
)
Send = Callable[..., tuple[HTTPResponse, bytes]]


@pytest.fixture(scope="module")
def path(localstack: LocalStack) -> Iterator[str]:
    """The path of an API that returns the event that its function got."""
    made = create_function(localstack, ECHO)
    yield deploy_api(localstack, made)
    localstack.client("lambda").delete_function(FunctionName=made.name)


def deploy_api(localstack: LocalStack, function: Function) -> str:
    gateway = localstack.client("apigateway")
    api = gateway.create_rest_api(name=function.name)["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    child = gateway.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
    where = {"restApiId": api, "resourceId": child, "httpMethod": "ANY"}
    gateway.put_method(**where, authorizationType="NONE")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function.name}"
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    gateway.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api, stageName="s")
    return f"/_aws/execute-api/{api}/s"


def connect(localstack: LocalStack) -> socket.socket:
    return socket.create_connection(("127.0.0.1", localstack.port), timeout=30)


class SharedBuffer(io.BufferedReader):
    """A buffer for several responses: the end of one does not drop the beginning of the next."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection.makefile("rb", buffering=0))

    def makefile(self, mode: str) -> "SharedBuffer":
        """Stand in for the connection that a response reads from."""
        return self

    def close(self) -> None:
        """Stay open for the next response."""


def read(connection: Any, method: str = "POST") -> tuple[HTTPResponse, bytes]:
    response = HTTPResponse(connection, method=method)
    response.begin()
    return response, response.read()


def request(target: str, *fields: str, method: str = "POST", body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *fields]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def without_changing(event: dict[str, Any]) -> dict[str, Any]:
    """Remove what differs between two identical requests."""
    changing = {"requestId", "extendedRequestId", "requestTime", "requestTimeEpoch"}
    context = {k: v for k, v in event["requestContext"].items() if k not in changing}
    trace = "x-amzn-trace-id"
    headers = {k: v for k, v in event["headers"].items() if k.lower() != trace}
    several = {k: v for k, v in event["multiValueHeaders"].items() if k.lower() != trace}
    return {**event, "requestContext": context, "headers": headers, "multiValueHeaders": several}


@pytest.mark.parametrize(
    ("target", "fields", "method", "body"),
    [
        ("/plain", [], "GET", b""),
        ("/plain", ["Content-Type: application/json"], "POST", b'{"a": 1}'),
        ("/a%20b/%C3%A9?q=1&q=2&r=%20+", [], "GET", b""),
        ("/x", ["X-Twice: 1", "x-twice: 2", "MiXed: case", "X-Latin: \xe9"], "GET", b""),
        ("/x", ["Content-Type: application/octet-stream"], "PUT", bytes(range(256))),
        ("/x", ["Origin: http://elsewhere.example", "Cookie: a=b; c=d"], "POST", b"x"),
    ],
)
def test_both_servers_send_the_same_response(
    localstack: LocalStack,
    path: str,
    target: str,
    fields: list[str],
    method: str,
    body: bytes,
) -> None:
    """Twisted, which serves a connection after its first other request, sends the same response."""
    content = request(f"{path}{target}", *fields, method=method, body=body)
    answers = []
    for by_twisted in (False, True):
        with connect(localstack) as connection:
            if by_twisted:
                connection.sendall(request("/_localstack/health", method="GET"))
                read(connection, "GET")
            connection.sendall(content)
            response, answer = read(connection, method)
            names = {k.lower(): v for k, v in response.getheaders()}
            assert ("Twisted" in names.pop("server", "")) == by_twisted
            for changing in ("date", "x-amzn-requestid", "x-amz-apigw-id", "x-amzn-trace-id"):
                names.pop(changing, None)
            del names["content-length"]
            answers.append((response.status, names, without_changing(json.loads(answer))))
    assert answers[0] == answers[1]
    assert answers[0][0] == 200


def test_a_request_may_arrive_in_pieces(localstack: LocalStack, path: str) -> None:
    """However a request is split, it gets its response."""
    content = request(f"{path}/x", body=b"abcdef")
    for cut in (1, 10, content.index(b"\r\n\r\n") + 2, len(content) - 3):
        with connect(localstack) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(content[:cut])
            time.sleep(0.05)  # so that the pieces arrive separately
            connection.sendall(content[cut:])
            assert json.loads(read(connection)[1])["body"] == "abcdef"


def test_pipelined_requests_get_their_responses_in_order(localstack: LocalStack, path: str) -> None:
    """A connection stays open, and a client may send requests before it has read the responses."""
    with connect(localstack) as connection:
        connection.sendall(b"".join(request(f"{path}/{n}", body=str(n).encode()) for n in range(5)))
        responses = SharedBuffer(connection)
        for n in range(5):
            event = json.loads(read(responses)[1])
            assert (event["path"], event["body"]) == (f"/{n}", str(n))


def test_a_connection_serves_all_kinds_of_requests(localstack: LocalStack, path: str) -> None:
    """After requests to an API, a connection serves any other request, and then an API once more."""
    with connect(localstack) as connection:
        for _ in range(2):
            connection.sendall(request(f"{path}/x"))
            assert read(connection)[0].status == 200
        connection.sendall(request("/_localstack/health", method="GET"))
        assert "services" in json.loads(read(connection, "GET")[1])
        connection.sendall(request(f"{path}/y"))
        assert json.loads(read(connection)[1])["path"] == "/y"


def test_chunked_bodies_arrive(localstack: LocalStack, path: str) -> None:
    """A body without a length in the head is read."""
    with connect(localstack) as connection:
        head = request(f"{path}/x", "Transfer-Encoding: chunked", method="PATCH")
        connection.sendall(head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
        assert json.loads(read(connection)[1])["body"] == "abcde"


def test_a_client_may_wait_for_100_continue(localstack: LocalStack, path: str) -> None:
    """``Expect: 100-continue`` gets a response, which curl waits for before it sends a long body."""
    with connect(localstack) as connection:
        head = request(f"{path}/x", "Expect: 100-continue", "Content-Length: 3", method="PUT")
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b"abc")
        assert json.loads(read(connection)[1])["body"] == "abc"


def test_tls_is_served_on_the_same_port(localstack: LocalStack, path: str) -> None:
    """A client may use HTTPS, with LocalStack's own certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(connect(localstack)) as connection:
        connection.sendall(request(f"{path}/x", body=b"abc"))
        assert json.loads(read(connection)[1])["body"] == "abc"


def test_a_long_body_arrives(localstack: LocalStack, path: str) -> None:
    """A body that exceeds the socket's buffer is read to its end."""
    body = b"x" * 2_000_000
    with connect(localstack) as connection:
        connection.sendall(request(f"{path}/x", body=body))
        assert len(json.loads(read(connection)[1])["body"]) == len(body)


def test_the_response_to_head_has_no_body(localstack: LocalStack, path: str) -> None:
    """The response to HEAD has no body, and the connection remains usable."""
    with connect(localstack) as connection:
        connection.sendall(request(f"{path}/x", method="HEAD"))
        assert read(connection, "HEAD")[1] == b""
        connection.sendall(request(f"{path}/y"))
        assert json.loads(read(connection)[1])["path"] == "/y"


def test_a_client_may_close_the_connection(localstack: LocalStack, path: str) -> None:
    """After a request with ``Connection: close``, the server closes the connection."""
    with connect(localstack) as connection:
        connection.sendall(request(f"{path}/x", "Connection: close"))
        response, _ = read(connection)
        assert response.getheader("Connection") == "close"
        assert connection.recv(1) == b""


def test_clients_that_disconnect_do_no_harm(localstack: LocalStack, path: str) -> None:
    """Clients that disconnect during a request, or before its response, do not affect others."""
    whole = request(f"{path}/x", body=b"abc")
    for content in (whole[:30], whole[:-1], whole):
        connect(localstack).sendall(content)
    with connect(localstack) as connection:
        connection.sendall(whole)
        assert json.loads(read(connection)[1])["body"] == "abc"


@pytest.mark.usefixtures("path")  # LocalStack has no routes of API Gateway before the first API
def test_an_unknown_api_is_not_found(localstack: LocalStack) -> None:
    """A request to an API that is not deployed gets API Gateway's own response."""
    with connect(localstack) as connection:
        connection.sendall(request(f"/_aws/execute-api/{uuid.uuid4().hex[:10]}/s/x"))
        assert read(connection)[0].status == 404


def test_listens_only_at_the_given_address(localstack: LocalStack) -> None:
    """Started at 127.0.0.1, LocalStack cannot be reached at any other address of the machine."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", localstack.port), timeout=5)

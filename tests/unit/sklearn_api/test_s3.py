"""Objects read from S3 without boto3: signatures, connections that fail, and errors."""

import hashlib
import socket
import ssl
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_api import s3
from sklearn_api.errors import ModelUnavailableError, SettingsError
from sklearn_api.s3 import Location, S3Error, S3Reader, locate
from sklearn_api.settings import Storage
from sklearn_api.sigv4 import Credentials, quote, sign
from sklearn_api.store import ModelStore, Pointer, create_reader
from tests.helpers.servers import Answer, Server, content, hang_up, raw, serving

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)
NOW = 1_767_323_045.0


@settings(deadline=None)
@given(
    key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    token=st.none() | st.text("abc/+=", min_size=1, max_size=20),
    etag=st.none() | st.just('"5d41402a"'),
    region=st.sampled_from(["us-east-1", "eu-central-1"]),
)
def test_signatures_equal_those_of_botocore(
    key: str, token: str | None, etag: str | None, region: str
) -> None:
    """They are equal for any key, with or without a token and a condition."""
    credentials = KEYS._replace(token=token)
    path = f"/bucket/{quote(key)}"
    extra = {"if-none-match": etag} if etag else {}
    ours = sign("127.0.0.1:4566", path, extra, credentials, region, NOW)
    request = AWSRequest("GET", f"http://127.0.0.1:4566{path}", headers={**extra})
    request.context["timestamp"] = ours["x-amz-date"]
    signer = S3SigV4Auth(BotoCredentials(KEYS.key, KEYS.secret, token), "s3", region)
    request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(b"").hexdigest()
    request.headers["X-Amz-Date"] = ours["x-amz-date"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    canonical = signer.canonical_request(request)
    text = signer.string_to_sign(request, canonical)
    signature = signer.signature(text, request)
    names = ";".join(sorted(name for name in ours if name != "authorization"))
    assert ours["authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, "
        f"Signature={signature}"
    )


@pytest.mark.parametrize(
    ("bucket", "region", "endpoint", "location"),
    [
        ("b", "eu-west-1", None, (True, "b.s3.eu-west-1.amazonaws.com", 443, "")),
        ("b", "cn-north-1", None, (True, "b.s3.cn-north-1.amazonaws.com.cn", 443, "")),
        ("b.c", "us-east-1", None, (True, "s3.us-east-1.amazonaws.com", 443, "/b.c")),
        ("b", "us-east-1", "http://127.0.0.1:4566", (False, "127.0.0.1", 4566, "/b")),
        ("b", "us-east-1", "http://localstack/", (False, "localstack", 80, "/b")),
        ("b", "us-east-1", "https://s3.example/x", (True, "s3.example", 443, "/x/b")),
        ("b", "us-east-1", "http://[::1]:4566", (False, "::1", 4566, "/b")),
    ],
)
def test_a_bucket_is_located(bucket: str, region: str, endpoint: str | None, location: Any) -> None:
    """On AWS, a bucket has its own host, or a path on its region's host; elsewhere, a path."""
    found = locate(bucket, region, endpoint)
    assert (found.secure, found.host, found.port, found.prefix) == location


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4566", "ftp://host", "http://", "http://h:x"])
def test_an_invalid_endpoint_is_reported(endpoint: str) -> None:
    """An invalid AWS_ENDPOINT_URL is an error that contains its value."""
    with pytest.raises(SettingsError, match="AWS_ENDPOINT_URL") as caught:
        create_reader(Storage(endpoint, key="k", secret="s"), "bucket")
    assert endpoint in str(caught.value)


def test_without_credentials_in_the_environment_boto3_finds_them() -> None:
    """With credentials in the environment, as in a Lambda, boto3 is not used; otherwise it is."""
    assert isinstance(create_reader(Storage(key="k", secret="s"), "bucket"), S3Reader)
    assert not isinstance(create_reader(Storage("http://127.0.0.1:9"), "bucket"), S3Reader)


def reader_of(server: Server) -> S3Reader:
    return S3Reader(locate("bucket", "us-east-1", server.url), "us-east-1", KEYS)


def error(code: str, status: int, **headers: str) -> Answer:
    return content(f"<?xml?><Error><Code>{code}</Code></Error>".encode(), status, **headers)


def test_objects_are_read_over_one_connection() -> None:
    """Content, length and ETag are as the server sent them, and the connection is reused."""
    with serving(content(b"one"), content(b"2" * 3_000_000)) as server:
        reader = reader_of(server)
        first = reader.get_object(Bucket="bucket", Key="a b/ü.json", IfNoneMatch='"x"')
        assert (first["Body"].read(100), first["ETag"], first["ContentLength"]) == (
            b"one",
            '"e"',
            3,
        )
        assert reader.get_object(Bucket="bucket", Key="c")["Body"].read() == b"2" * 3_000_000
        (path, headers, port), (_, other, same) = server.requests
    assert path == "/bucket/a%20b/%C3%BC.json"
    assert (headers["host"], headers["if-none-match"]) == (
        f"127.0.0.1:{port and server.port}",
        '"x"',
    )
    assert "if-none-match" not in other
    assert port == same


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (content(b"", 304), 304, "304"),
        (error("NoSuchKey", 404), 404, "NoSuchKey"),
        (error("AccessDenied", 403, Connection="close"), 403, "AccessDenied"),
        (content(b"no XML", 400), 400, "400"),
        (
            raw(
                b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"20\r\n<Error><Code>NoSuchBucket</Code>\r\n0\r\n\r\n"
            ),
            404,
            "NoSuchBucket",
        ),
    ],
)
def test_refusals_of_s3_are_reported_with_their_codes(
    answer: Answer, status: int, code: str
) -> None:
    """Status and code are where botocore puts them, and the next object can be read."""
    with serving(answer, content(b"next")) as server:
        reader = reader_of(server)
        with pytest.raises(S3Error) as caught:
            reader.get_object(Bucket="bucket", Key="a")
        assert caught.value.response == {
            "Error": {"Code": code},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        assert reader.get_object(Bucket="bucket", Key="a")["Body"].read() == b"next"


@pytest.mark.parametrize(
    "answer",
    [
        hang_up,
        error("SlowDown", 503),
        error("InternalError", 500),
        raw(b"SSH-2.0-OpenSSH\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nETag: x\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n"),
        raw(b"HTTP/1.1 abc\r\n\r\n"),
    ],
)
def test_a_failed_request_is_retried_once(answer: Answer) -> None:
    """A request that fails once is repeated; if it fails twice, that is an error."""
    with serving(answer, content(b"there"), answer, answer) as server:
        reader = reader_of(server)
        assert reader.get_object(Bucket="bucket", Key="a")["Body"].read() == b"there"
        with pytest.raises((S3Error, OSError)):
            reader.get_object(Bucket="bucket", Key="a")
        assert len(server.requests) == 4


def test_a_closed_connection_is_replaced() -> None:
    """A warm Lambda whose connection has been closed meanwhile can read the next object."""
    with serving(content(b"1"), content(b"2")) as server:
        reader = reader_of(server)
        reader.get_object(Bucket="bucket", Key="a")["Body"].read()
        assert reader._socket is not None
        reader._socket.shutdown(socket.SHUT_RDWR)
        assert reader.get_object(Bucket="bucket", Key="a")["Body"].read() == b"2"


def test_content_that_ends_too_early_is_an_error() -> None:
    """A download that breaks off is an error, not a shorter object."""
    with serving(raw(b"HTTP/1.1 200 OK\r\nETag: x\r\nContent-Length: 9\r\n\r\nhalf")) as server:
        body = reader_of(server).get_object(Bucket="bucket", Key="a")["Body"]
        with pytest.raises(OSError, match="5 bytes too early"):
            body.read()


def test_unread_content_does_not_affect_the_next_object() -> None:
    """An object can be read only in part, and the next one is still read correctly."""
    with serving(content(b"x" * 100), content(b"next")) as server:
        reader = reader_of(server)
        assert reader.get_object(Bucket="bucket", Key="a")["Body"].read(10) == b"x" * 10
        assert reader.get_object(Bucket="bucket", Key="b")["Body"].read() == b"next"


def test_an_artifact_refused_for_its_size_does_not_affect_the_next_object() -> None:
    """The store reads nothing of an artifact over the limit, and can then read the pointer."""
    pointer = b'{"name": "r", "version": "1", "sha256": "a", "published": "now"}'
    with serving(content(b"x" * 100), content(pointer)) as server:
        store = ModelStore(reader_of(server), "bucket", "r")
        with pytest.raises(Exception, match="MAX_ARTIFACT_BYTES"):
            store.download(Pointer("r", "1", "a", "now"), 10)
        found = store.pointer()
        assert found is not None
        assert found[0].version == "1"


def test_an_unreachable_s3_is_reported() -> None:
    """If nothing listens at the endpoint, the error is 503 with a reason, as with boto3."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        reader = create_reader(
            Storage(f"http://127.0.0.1:{probe.getsockname()[1]}", key="k", secret="s"), "bucket"
        )
        with pytest.raises(ModelUnavailableError, match="cannot be reached"):
            ModelStore(reader, "bucket", "r").pointer()


def test_certificates_are_checked() -> None:
    """Over https, no request is sent to a server without a valid certificate."""
    with serving() as server:
        location = Location(True, "127.0.0.1", server.port, f"127.0.0.1:{server.port}", "/bucket")
        with pytest.raises(ssl.SSLError):
            S3Reader(location, "us-east-1", KEYS).get_object(Bucket="bucket", Key="a")
        assert server.requests == []


def test_all_attempts_end_within_the_timeout_of_a_function() -> None:
    """Two attempts to connect and to read take less than the 15 seconds in serverless.yml."""
    assert s3.ATTEMPTS * (s3.CONNECT_SECONDS + s3.READ_SECONDS) < 15

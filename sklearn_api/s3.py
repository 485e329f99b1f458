"""Reads objects from S3 without boto3.

Importing boto3 takes a Lambda ten times longer than everything else it needs to answer a request,
and http.client imports the e-mail parser. Reading an object takes one signed GET: a signature and a
few lines of HTTP. Publishing is not part of a cold start and uses boto3.
"""

import socket
import time
from io import BufferedReader
from typing import TYPE_CHECKING, Any, NamedTuple

from sklearn_api.sigv4 import Credentials, quote, sign

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS = 2
CONNECT_SECONDS = 2.0
READ_SECONDS = 4.0
"""All attempts together fit into the functions' timeout (serverless.yml): a Lambda that was stopped
while S3 hung could not keep serving the model that it has."""

_MAX_LINE = 16 * 1024
_MAX_HEADERS = 100
_MAX_ERROR = 64 * 1024


class S3Error(Exception):
    """S3 did not return an object.

    Attributes
    ----------
    response : dict
        As in botocore's ClientError: ``Error.Code``, ``ResponseMetadata.HTTPStatusCode``.
    """

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"S3 answered {status} ({code})")
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


class _BrokenError(Exception):
    """The connection ended, or the answer is not HTTP."""


class Location(NamedTuple):
    """Where a bucket is.

    Attributes
    ----------
    secure : bool
        Whether to use TLS.
    host : str
        Name or address, without brackets.
    port : int
        Port to connect to.
    header : str
        Value of the Host header.
    prefix : str
        Part of the path before ``/key``.
    """

    secure: bool
    host: str
    port: int
    header: str
    prefix: str


def locate(bucket: str, region: str, endpoint: str | None) -> Location:
    """Return where a bucket is.

    On AWS a bucket has its own host in its region. If its name contains a dot, no certificate
    covers that host, and the bucket is a path on the region's host. On another endpoint it is a
    path as well (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html).

    Parameters
    ----------
    bucket, region : str
        The bucket and its region.
    endpoint : str or None
        ``http(s)://host[:port][/path]`` of an S3 other than AWS's.

    Raises
    ------
    ValueError
        The endpoint is not such an address.
    """
    if endpoint is None:
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        if "." in bucket:
            shared = f"s3.{region}.{domain}"
            return Location(True, shared, 443, shared, f"/{bucket}")
        host = f"{bucket}.s3.{region}.{domain}"
        return Location(True, host, 443, host, "")
    scheme, _, rest = endpoint.partition("://")
    header, _, path = rest.partition("/")
    host, bracket, port = header.partition("]")
    if bracket:  # an IPv6 address, such as [::1]:4566
        host, port = host.removeprefix("["), port.removeprefix(":")
    else:
        host, _, port = header.partition(":")
    if (
        scheme not in ("http", "https")
        or not host
        or not host.isascii()
        or (port and not port.isdecimal())
    ):
        raise ValueError(f"{endpoint!r} is not an address such as http://127.0.0.1:4566")
    secure = scheme == "https"
    default = 443 if secure else 80
    prefix = f"/{path.strip('/')}/{bucket}" if path.strip("/") else f"/{bucket}"
    return Location(secure, host, int(port or default), header, prefix)


class S3Reader:
    """Reads the objects of one bucket over a connection that is kept open.

    It has the part of boto3's S3 client that `store.ModelStore` uses. Two threads must not use it
    at the same time.

    Parameters
    ----------
    location : Location
        Where the bucket is.
    region : str
        Of the bucket.
    credentials : Credentials
        Of the caller.
    authorities : str or None
        File of certificate authorities to trust instead of the system's.
    """

    def __init__(
        self,
        location: Location,
        region: str,
        credentials: Credentials,
        authorities: str | None = None,
    ) -> None:
        self._location = location
        self._region = region
        self._credentials = credentials
        self._authorities = authorities
        self._tls: Any = None
        self._file: BufferedReader | None = None
        self._socket: socket.socket | None = None
        self._body: _Body | None = None

    def get_object(
        self,
        *,
        Bucket: str,  # noqa: N803 - boto3's name
        Key: str,  # noqa: N803 - boto3's name
        IfNoneMatch: str | None = None,  # noqa: N803 - boto3's name
    ) -> dict[str, Any]:
        """Request an object, whose ``Body`` has a ``read`` method.

        Raises
        ------
        S3Error
            S3 refuses, or the ETag of the object is still `IfNoneMatch` (status 304).
        OSError
            S3 cannot be reached.
        """
        del Bucket  # the location names it
        if self._body is not None and self._body.left:
            self.close()  # The rest of it would precede the next answer.
        headers = {"if-none-match": IfNoneMatch} if IfNoneMatch else {}
        path = f"{self._location.prefix}/{quote(Key)}"
        for attempt in range(1, ATTEMPTS + 1):
            try:
                status, answered = self._ask(path, headers)
                if status == 200:
                    length = _length(answered["content-length"])
                    keep = self._keeps(answered)
                    self._body = _Body(self._receive, self.close, length, keep)
                    return {"Body": self._body, "ETag": answered["etag"], "ContentLength": length}
                error = S3Error(self._code(status, answered), status)
            # A proxy that does not answer as S3 does can break any of these lines.
            except (OSError, _BrokenError, KeyError, ValueError) as exc:
                self.close()
                if attempt == ATTEMPTS:
                    if isinstance(exc, OSError):
                        raise
                    raise ConnectionError("the answer does not come from S3") from exc
                continue
            if status < 500 or attempt == ATTEMPTS:
                raise error
        raise AssertionError("an attempt ends in an answer or an error")

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._file is not None:
            self._file.close()
        if self._socket is not None:
            self._socket.close()
        self._file = self._socket = self._body = None

    def _ask(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        """Send a request; return the status and the headers of the answer."""
        if self._socket is None:
            self._connect()
        assert self._socket is not None
        signed = sign(
            self._location.header, path, headers, self._credentials, self._region, time.time()
        )
        lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
        version, _, rest = self._line().partition(" ")
        if version not in ("HTTP/1.1", "HTTP/1.0"):
            raise _BrokenError("the answer is not HTTP")
        answered = {"connection": "close"} if version == "HTTP/1.0" else {}
        for _ in range(_MAX_HEADERS):
            line = self._line()
            if not line:
                return int(rest[:3]), answered
            name, _, value = line.partition(":")
            answered[name.strip().lower()] = value.strip()
        raise _BrokenError("the answer has too many headers")

    def _connect(self) -> None:
        location = self._location
        # Given as bytes, the host is not encoded as an international name, a slow import.
        address: Any = (location.host.encode("ascii"), location.port)
        connection = socket.create_connection(address, CONNECT_SECONDS)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if location.secure:
                connection = self._context().wrap_socket(connection, server_hostname=location.host)
            connection.settimeout(READ_SECONDS)
        except BaseException:
            connection.close()
            raise
        self._socket = connection
        self._file = BufferedReader(connection.makefile("rb", buffering=0))

    def _context(self) -> Any:
        if self._tls is None:
            import ssl  # takes as long to import as everything else, so only on demand

            self._tls = ssl.create_default_context(cafile=self._authorities)
        return self._tls

    def _line(self) -> str:
        assert self._file is not None
        line = self._file.readline(_MAX_LINE)
        if not line.endswith(b"\n"):
            raise _BrokenError("the connection ended")
        return line.decode("latin-1").rstrip("\r\n")

    def _receive(self, size: int) -> bytes:
        if self._file is None:
            raise ConnectionError("the connection is closed")
        content = self._file.read(size)
        if len(content) != size:
            raise ConnectionError(f"the connection ended {size - len(content):,} bytes too early")
        return content

    def _keeps(self, answered: dict[str, str]) -> bool:
        return answered.get("connection", "").lower() != "close"

    def _code(self, status: int, answered: dict[str, str]) -> str:
        """Return the code of an error, and consume the rest of the answer."""
        if status == 304:  # has no body, whatever its headers say
            if not self._keeps(answered):
                self.close()
            return "304"
        length = answered.get("content-length", "")
        content = b""
        if length.isdecimal() and int(length) <= _MAX_ERROR and self._keeps(answered):
            content = self._receive(int(length))
        else:
            assert self._file is not None
            if "chunked" in answered.get("transfer-encoding", ""):
                size = int(self._line().partition(";")[0], 16)  # an error is one chunk
                content = self._file.read(min(size, _MAX_ERROR))
            elif length.isdecimal():
                content = self._file.read(min(int(length), _MAX_ERROR))
            self.close()
        _, _, rest = content.partition(b"<Code>")
        code, found, _ = rest.partition(b"</Code>")
        return code.decode("latin-1")[:80] if found else str(status)


def _length(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise _BrokenError(f"{text[:80]!r} is not a length")
    return int(text)


class _Body:
    """The content of an object, read on demand.

    Parameters
    ----------
    receive : callable
        Reads a number of bytes from the connection.
    close : callable
        Closes the connection.
    length : int
        Length of the content in bytes.
    keep : bool
        Whether the connection can be used again.

    Attributes
    ----------
    left : int
        Bytes that have not been read.
    """

    def __init__(
        self,
        receive: "Callable[[int], bytes]",
        close: "Callable[[], None]",
        length: int,
        keep: bool,
    ) -> None:
        self._receive = receive
        self._close = close
        self.left = length
        self._keep = keep

    def read(self, size: int | None = None) -> bytes:
        """Return the rest of the content, or its next `size` bytes.

        Raises
        ------
        OSError
            The connection ended too early, or S3 does not answer in time.
        """
        wanted = self.left if size is None else min(size, self.left)
        try:
            content = self._receive(wanted)
        except BaseException:
            self._close()
            raise
        self.left -= wanted
        if not self.left and not self._keep:
            self._close()
        return content

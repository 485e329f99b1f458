"""AWS's signature version 4 of a GET request to S3.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import hashlib
import hmac
import time
from typing import NamedTuple

_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


class Credentials(NamedTuple):
    """AWS credentials.

    Attributes
    ----------
    key, secret : str
        Access key id and secret access key.
    token : str or None
        Session token of temporary credentials, such as those of a Lambda.
    """

    key: str
    secret: str
    token: str | None


def sign(
    host: str, path: str, headers: dict[str, str], credentials: Credentials, region: str, now: float
) -> dict[str, str]:
    """Return the headers of a signed GET without a query.

    Parameters
    ----------
    host : str
        As in the Host header.
    path : str
        Percent-encoded.
    headers : dict
        Additional headers, with names in lower case; they are signed too.
    credentials : Credentials
        Of the caller.
    region : str
        Of the bucket.
    now : float
        Seconds since the epoch; S3 accepts a difference of 15 minutes.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    signed = {
        **headers,
        "host": host,
        "x-amz-content-sha256": _EMPTY_SHA256,
        "x-amz-date": stamp,
    }
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    request = f"GET\n{path}\n\n{lines}\n{names}\n{_EMPTY_SHA256}"
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{credentials.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.key}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}"
    )
    return signed


def quote(text: str) -> str:
    """Percent-encode a key as the signature requires: all but unreserved characters and ``/``."""
    return "".join(
        chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode("utf-8")
    )

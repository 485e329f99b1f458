"""The condition keys of a call.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from localstack_parity.iam.actions import Call
from localstack_parity.iam.patterns import Context
from localstack_parity.iam.policy import Principal

# Keys that are absent from calls that a role makes directly, not through a service.
_ABSENT = (
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:federatedprovider",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:username",
)
_LISTING = {"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys"}
_HEADERS = (
    "if-match",
    "if-none-match",
    "x-amz-acl",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
)
_S3_ABSENT: Mapping[str, None] = dict.fromkeys(
    [*_LISTING, "s3:versionid", *(f"s3:{name}" for name in _HEADERS)]
)


def condition_keys(
    call: Call,
    principal: Principal,
    user_id: str,
    tags: Mapping[str, str],
    headers: Mapping[str, str],
    address: str | None,
    now: datetime | None = None,
) -> Context:
    """Return the condition keys of a call.

    Parameters
    ----------
    call : Call
        The call.
    principal : Principal
        The caller.
    user_id : str
        The value of ``aws:userid``.
    tags : mapping
        The values of ``aws:PrincipalTag/…``, by tag key in lower case.
    headers : mapping
        The request's headers, by name in lower case.
    address : str or None
        The client's IP address.
    now : datetime, optional
        The time of the call, for tests; by default the current time.
    """
    now = now or datetime.now(UTC)
    values: dict[str, str | None] = dict.fromkeys(_ABSENT)
    values |= {
        "aws:currenttime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(int(now.timestamp())),
        "aws:principalaccount": principal.account,
        "aws:principalarn": principal.role_arn,
        "aws:principalisawsservice": "false",
        "aws:principaltype": "AssumedRole",
        "aws:referer": headers.get("referer"),
        "aws:requestedregion": call.region,
        # The emulator's endpoint is plain HTTP on this machine, in place of AWS's HTTPS.
        "aws:securetransport": "true",
        "aws:sourceip": address,
        "aws:useragent": headers.get("user-agent"),
        "aws:userid": user_id,
        "aws:viaawsservice": "false",
    }
    values |= {f"aws:principaltag/{key}": value for key, value in tags.items()}
    values |= _s3(call, headers) if call.service == "s3" else _S3_ABSENT
    return Context(values, families=("aws:principaltag/",))


def _s3(call: Call, headers: Mapping[str, str]) -> dict[str, str | None]:
    listing = call.operation.startswith("List")
    values: dict[str, str | None] = {
        key: str(call.params[name]) if listing and name in call.params else None
        for key, name in _LISTING.items()
    }
    values["s3:versionid"] = call.params.get("VersionId")
    if call.operation != "PostObject":  # its parameters are in a form, which is not read here
        values |= {f"s3:{name}": headers.get(name) for name in _HEADERS}
    return values

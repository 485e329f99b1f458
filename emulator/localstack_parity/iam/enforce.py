"""The handler in LocalStack's chain that refuses calls which the caller's policies do not allow.

It checks calls signed with the credentials of an existing role, as a function's calls are. For
other calls it only looks at the access key.
"""

import json
import logging
from typing import Any

from localstack.aws.accounts import get_account_id_from_access_key_id
from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.protocol.serializer import create_serializer
from localstack.utils.aws.request_context import extract_access_key_id_from_auth_header
from rolo import Response
from rolo.gateway import HandlerChain

from localstack_parity.iam.actions import Access, Call, accesses, service_name
from localstack_parity.iam.buckets import Bucket, find_bucket
from localstack_parity.iam.context import condition_keys
from localstack_parity.iam.decision import Applicable, Decision, decide
from localstack_parity.iam.policy import Request
from localstack_parity.iam.principals import TEMPORARY, Session, assumed_role, session_of

Chain = HandlerChain[Any]
LOG = logging.getLogger("localstack_parity.iam")

# Not even a Deny applies: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
_NEEDS_NO_PERMISSION = {"sts:GetCallerIdentity"}
# Operations that report a missing object only to callers who may list the bucket:
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
_READING = {"GetObject", "HeadObject", "GetObjectAttributes", "CopyObject", "UploadPartCopy"}
_MISSING = {"NoSuchKey", "NoSuchVersion"}
_CHECK = "parity_iam_check"

_missing_roles: set[str] = set()


class Check:
    """The check of one call by a role's session."""

    def __init__(self, context: RequestContext, call: Call, session: Session) -> None:
        self.call = call
        self.session = session
        self.principal = session.principal
        request = context.request
        self.keys = condition_keys(
            call,
            self.principal,
            session.user_id,
            session.tags(),
            {name.lower(): value for name, value in request.headers},
            request.remote_addr,
        )
        self.identity = session.identity_policies()
        self.boundary = session.boundary()
        self.session_policy = session.session_policy()

    def decide(self, action: str, resource: str | None) -> Decision:
        """Decide on one action on one resource, or on an unknown resource (None)."""
        bucket = self._bucket(resource)
        owner = bucket.account if bucket else _account(resource) or self.principal.account
        keys = self.keys.with_values({"aws:resourceaccount": owner, "s3:resourceaccount": owner})
        # Resource policies of other services are not read, so for those every caller counts as one
        # of the same account.
        return decide(
            Request(action, resource, self.principal, keys),
            Applicable(
                identity=self.identity,
                resource=bucket.policy if bucket else None,
                same_account=bucket is None or owner == self.principal.account,
                boundary=self.boundary,
                session=self.session_policy,
            ),
        )

    def _bucket(self, resource: str | None) -> Bucket | None:
        if resource is None or ":s3:::" not in resource:
            return None
        return find_bucket(resource, self.call.account, self.call.region)


def check_call(chain: Chain, context: RequestContext, response: Response) -> None:
    """Refuse a call that the policies of the caller's role do not allow.

    Raises
    ------
    CommonServiceException
        The "access denied" error of the service's protocol, with AWS's message.
    """
    if context.operation is None or context.is_internal_call:
        return
    key = _access_key(context)
    if key is None or not key.startswith(TEMPORARY):
        return
    assumed = assumed_role(key, get_account_id_from_access_key_id(key), context.partition)
    if assumed is None:
        return
    session = session_of(assumed)
    if session is None:
        _warn_once(assumed.role_arn)
        return
    call = _call(context, assumed.account_id)
    if f"{call.service}:{call.operation}" in _NEEDS_NO_PERMISSION:
        return
    check = Check(context, call, session)
    setattr(context, _CHECK, check)
    for access in accesses(call):
        decision = check.decide(*access)
        if not decision.allowed:
            LOG.warning("%s", _line(check, access, decision))
            raise _refusal(context, _message(check, access, decision))


def hide_missing(chain: Chain, context: RequestContext, response: Response) -> None:
    """Turn "no such key" into "access denied" for callers who may not list the bucket."""
    check: Check | None = context.get(_CHECK)
    error = context.service_exception
    if check is None or getattr(error, "code", None) not in _MISSING:
        return
    if check.call.operation not in _READING:
        return
    _, read = accesses(check.call)[0]
    listing = ("s3:ListBucket", str(read).partition("/")[0])
    # Keys that narrow a listing, such as s3:prefix, are absent from a request for an object.
    decision = check.decide(*listing)
    if decision.allowed:
        return
    line = _line(check, listing, decision)
    LOG.warning("%s; without it, S3 does not reveal that %s is missing", line, _plain(str(read)))
    refusal = _refusal(context, _message(check, listing, decision))
    context.service_exception = refusal
    serializer = create_serializer(context.service, context.protocol)
    response.update_from(
        serializer.serialize_error_to_response(
            refusal, context.operation, context.request.headers, context.request_id
        )
    )


def _warn_once(role_arn: str) -> None:
    if role_arn not in _missing_roles:
        _missing_roles.add(role_arn)
        LOG.warning("IAM does not check calls by %s: the role does not exist", role_arn)


def _access_key(context: RequestContext) -> str | None:
    """Return the access key of the request's signature.

    LocalStack has moved the key of a presigned URL into a header; that of a form is in the form.
    """
    if context.operation and context.operation.name == "PostObject":
        form = context.request.form
        credential: str | None = form.get("x-amz-credential") or form.get("AWSAccessKeyId")
        return credential.partition("/")[0] if credential else None
    headers = context.request.headers
    return extract_access_key_id_from_auth_header(headers)  # type: ignore[arg-type]  # it uses only .get


def _call(context: RequestContext, account: str) -> Call:
    assert context.service is not None
    assert context.operation is not None
    params = dict(context.service_request or {})
    if context.operation.name == "PostObject":
        params["Key"] = _posted_key(context)
    return Call(
        service=service_name(context.service.signing_name),
        operation=context.operation.name,
        params=params,
        region=context.region,
        account=account,
        partition=context.partition,
        method=context.request.method,
        path=context.request.path,
    )


def _posted_key(context: RequestContext) -> str:
    uploaded = context.request.files.get("file")
    name = (uploaded.filename if uploaded else None) or ""
    return str(context.request.form.get("key", "")).replace("${filename}", name)


def _account(arn: str | None) -> str | None:
    segments = (arn or "").split(":")
    return segments[4] if len(segments) > 4 and segments[4].isdigit() else None


def _message(check: Check, access: Access, decision: Decision) -> str:
    """Return AWS's message for a refused call.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    action, resource = access
    on = f'"{resource}"' if check.call.service == "s3" else resource or "*"
    return (
        f"User: {check.principal.session_arn} is not authorized to perform: {action} "
        f"on resource: {on} {decision.message}"
    )


def _line(check: Check, access: Access, decision: Decision) -> str:
    """Return the log line for a refused call, with the missing statement to copy."""
    action, resource = access
    line = f"IAM denied {action} on {_plain(resource or '*')} to {check.principal.session_arn}: "
    if decision.denied_by:
        return line + _plain(decision.denied_by)
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource or "*"}
    role = f"role {check.session.role.name}"
    if decision.missing == "permissions boundary":
        line += f"the permissions boundary {check.session.role.permissions_boundary_arn} of {role}"
        line += " does not allow it"
    elif decision.missing == "session policy":
        line += f"the policy of this session of {role} does not allow it"
    elif decision.missing == "resource-based policy":
        line += "the bucket belongs to another account, and its policy does not allow it"
        statement = {"Principal": {"AWS": check.principal.role_arn}, **statement}
    else:
        line += f"no policy of {role} allows it"
    if decision.doubts:
        line += f" (not understood: {_plain('; '.join(decision.doubts))})"
    return f"{line}; add {json.dumps(statement)}"


def _plain(text: str) -> str:
    """Escape text that a client chose, such as a key, so that it stays on one line."""
    return json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')


def _refusal(context: RequestContext, message: str) -> CommonServiceException:
    """Return the error with the code and status that the service uses.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and, for other services,
    the page "Common Errors" of each API reference.
    """
    service = context.service.signing_name if context.service else ""
    code, status = _CODES.get(service) or _CODES_BY_PROTOCOL.get(
        str(context.protocol), ("AccessDenied", 403)
    )
    # S3's errors do not say whether the sender is at fault.
    return CommonServiceException(code, message, status, sender_fault=service != "s3")


_CODES = {
    "ec2": ("UnauthorizedOperation", 403),
    "sns": ("AuthorizationError", 403),
    "sqs": ("AccessDenied", 403),
}
_CODES_BY_PROTOCOL = {
    "json": ("AccessDeniedException", 400),
    "smithy-rpc-v2-cbor": ("AccessDeniedException", 400),
    "rest-json": ("AccessDeniedException", 403),
}

"""The actions of S3's operations, whose names often differ.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

import urllib.parse
from collections.abc import Mapping
from typing import Any

Access = tuple[str, str | None]

_BUCKET_LEVEL = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketCors": "PutBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    **{
        f"{verb}Bucket{what}Configuration{plural}": f"{action}{what}Configuration"
        for what in ("Analytics", "IntelligentTiering", "Inventory", "Metrics")
        for verb, plural, action in (
            ("Get", "", "Get"),
            ("List", "s", "Get"),
            ("Put", "", "Put"),
            ("Delete", "", "Put"),
        )
    },
}
_OBJECT_LEVEL = {
    "HeadObject": "GetObject",
    "SelectObjectContent": "GetObject",
    "CopyObject": "PutObject",
    "PostObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
}
# Actions that have a different name if the call names a version of the object.
_VERSIONED = {
    "DeleteObject": "DeleteObjectVersion",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectAttributes": "GetObjectVersionAttributes",
    "GetObjectTagging": "GetObjectVersionTagging",
    "GetObjectTorrent": "GetObjectVersionTorrent",
    "PutObjectAcl": "PutObjectVersionAcl",
    "PutObjectTagging": "PutObjectVersionTagging",
}
# Parameters that require a further action.
_WITH_PARAMETER = {
    "ACL": "PutObjectAcl",
    "GrantFullControl": "PutObjectAcl",
    "GrantRead": "PutObjectAcl",
    "GrantReadACP": "PutObjectAcl",
    "GrantWriteACP": "PutObjectAcl",
    "Tagging": "PutObjectTagging",
    "ObjectLockMode": "PutObjectRetention",
    "ObjectLockRetainUntilDate": "PutObjectRetention",
    "ObjectLockLegalHoldStatus": "PutObjectLegalHold",
}
_CREATING = ("PutObject", "CopyObject", "CreateMultipartUpload")


def accesses(operation: str, params: Mapping[str, Any], partition: str = "aws") -> list[Access]:
    """Return the actions that a call needs, each with the ARN of its resource.

    Parameters
    ----------
    operation : str
        The API operation, such as ``HeadObject``.
    params : mapping
        Its parameters, named as in the API.
    partition : str
        The partition in the ARNs.
    """
    bucket = f"arn:{partition}:s3:::{params.get('Bucket', '*')}"
    key = params.get("Key")
    if operation == "ListBuckets":
        return [("s3:ListAllMyBuckets", bucket)]
    if operation == "DeleteObjects":
        found = [
            _on_object("DeleteObject", f"{bucket}/{one.get('Key')}", one.get("VersionId"))
            for one in params.get("Delete", {}).get("Objects", [])
        ]
        if params.get("BypassGovernanceRetention"):
            found += [("s3:BypassGovernanceRetention", resource) for _, resource in found]
        return found
    if key is None:
        return [(f"s3:{_BUCKET_LEVEL.get(operation, operation)}", bucket)]
    target = f"{bucket}/{key}"
    action = _OBJECT_LEVEL.get(operation, operation)
    found = [_on_object(action, target, params.get("VersionId"))]
    if action == "GetObjectAttributes":
        found.insert(0, _on_object("GetObject", target, params.get("VersionId")))
    if "CopySource" in params:
        name, version = copy_source(params["CopySource"])
        found.insert(0, _on_object("GetObject", f"arn:{partition}:s3:::{name}", version))
    if operation in _CREATING:
        more = {f"s3:{action}" for name, action in _WITH_PARAMETER.items() if params.get(name)}
        found += [(action, target) for action in sorted(more)]
    if params.get("BypassGovernanceRetention"):
        found.append(("s3:BypassGovernanceRetention", target))
    return found


def copy_source(text: str) -> tuple[str, str | None]:
    """Return the ``bucket/key`` and the version of the source of a copy."""
    path, _, query = text.partition("?")
    version = urllib.parse.parse_qs(query).get("versionId", [None])[0]
    return urllib.parse.unquote_plus(path).lstrip("/"), version


def _on_object(action: str, resource: str, version: str | None) -> Access:
    return f"s3:{_VERSIONED.get(action, action) if version else action}", resource

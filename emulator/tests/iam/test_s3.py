"""Calls to S3 with a role's credentials, on a real LocalStack."""

import urllib.request
import uuid

from iam.caller import Caller, allow, deny, status_of


def test_a_prefix_limits_a_listing(caller: Caller) -> None:
    """A listing is allowed with the prefix that the policy requires, and with no other.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
    """
    only = {"StringLike": {"s3:prefix": "models/*"}}
    caller.may(allow("s3:ListBucket", caller.bucket_arn, Condition=only))
    for call in ("list_objects_v2", "list_objects"):
        assert caller("s3", call, Bucket=caller.bucket, Prefix="models/")["status"] == 200
        assert caller("s3", call, Bucket=caller.bucket, Prefix="other")["status"] == 403
        assert caller("s3", call, Bucket=caller.bucket)["status"] == 403


def test_the_endpoint_counts_as_secure(caller: Caller) -> None:
    """Policies that require TLS on AWS do not refuse calls to the emulator's own endpoint.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/*"))
    caller.bucket_policy(deny("s3:*", f"{caller.bucket_arn}/*", Principal="*", Condition=insecure))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 200
    insecure["Bool"]["aws:SecureTransport"] = "true"
    caller.bucket_policy(deny("s3:*", f"{caller.bucket_arn}/*", Principal="*", Condition=insecure))
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 403


def test_a_bucket_policy_denies_the_principals_that_it_names(caller: Caller) -> None:
    """Naming the role, the session, the account or everyone covers the caller; another role does not.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    caller.may(allow("s3:GetObject", "*"))
    account = "arn:aws:iam::000000000000:root"
    for named in (caller.role_arn, caller.arn, account, "000000000000", "*"):
        caller.bucket_policy(
            deny("s3:GetObject", f"{caller.bucket_arn}/*", Principal={"AWS": named})
        )
        refused = caller("s3", "get_object", Bucket=caller.bucket, Key="other")
        assert refused["status"] == 403, named
        assert refused["Message"].endswith("with an explicit deny in a resource-based policy")
        assert f"the policy of bucket {caller.bucket}" in caller.log_lines()[-1]
    caller.bucket_policy(
        deny("s3:GetObject", f"{caller.bucket_arn}/*", Principal={"AWS": f"{caller.role_arn}x"})
    )
    assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 200


def test_a_bucket_policy_alone_allows_a_role_of_the_same_account(caller: Caller) -> None:
    """One of the two policies is enough to allow a call; naming the account leaves it to the role's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
    """
    for named, status in (
        (caller.role_arn, 200),
        (caller.arn, 200),
        ("arn:aws:iam::000000000000:root", 403),
    ):
        caller.bucket_policy(
            allow("s3:GetObject", f"{caller.bucket_arn}/*", Principal={"AWS": named})
        )
        got = caller("s3", "get_object", Bucket=caller.bucket, Key="other")
        assert got["status"] == status, named


def test_a_missing_object_is_403_without_list_bucket(caller: Caller) -> None:
    """A caller who may not list a bucket does not learn what is missing from it.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/*"))
    missing = {"Bucket": caller.bucket, "Key": "missing"}
    refused = caller("s3", "get_object", **missing)
    assert (refused["status"], refused["Code"]) == (403, "AccessDenied")
    assert "s3:ListBucket" in refused["Message"]
    assert f'"Action": "s3:ListBucket", "Resource": "{caller.bucket_arn}"' in caller.log_lines()[-1]
    # The response to HEAD has no body: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    assert caller("s3", "head_object", **missing) == {
        "status": 403,
        "Code": "403",
        "Message": "Forbidden",
    }
    caller.may(
        allow("s3:GetObject", f"{caller.bucket_arn}/*"), allow("s3:ListBucket", caller.bucket_arn)
    )
    assert caller("s3", "get_object", **missing)["Code"] == "NoSuchKey"
    assert caller("s3", "head_object", **missing)["status"] == 404


def test_copying_needs_permissions_for_both_objects(caller: Caller) -> None:
    """A copy must be allowed to read the source and to write the target.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    """
    copy = {
        "Bucket": caller.bucket,
        "Key": "models/copy",
        "CopySource": {"Bucket": caller.bucket, "Key": "other"},
    }
    read = allow("s3:GetObject", f"{caller.bucket_arn}/other")
    write = allow("s3:PutObject", f"{caller.bucket_arn}/models/*")
    for statements, status in (([read], 403), ([write], 403), ([read, write], 200)):
        caller.may(*statements)
        assert caller("s3", "copy_object", **copy)["status"] == status


def test_a_refused_upload_leaves_no_object(caller: Caller) -> None:
    """The body of a refused call is discarded, and the connection still works."""
    upload = {"Bucket": caller.bucket, "Key": "models/b", "Body": "b" * 1_000_000}
    assert caller("s3", "put_object", **upload)["Code"] == "AccessDenied"
    caller.may(allow(["s3:GetObject", "s3:ListBucket"], "*"))
    assert caller("s3", "head_object", Bucket=caller.bucket, Key="models/b")["status"] == 404
    caller.may(allow("s3:PutObject", f"{caller.bucket_arn}/models/b"))
    assert caller("s3", "put_object", **upload)["status"] == 200


def test_a_form_upload_has_the_permissions_of_its_signer(caller: Caller) -> None:
    """The signature of a form upload is a field of the form.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/HTTPPOSTExamples.html
    """
    post = caller("s3", "form", Bucket=caller.bucket, Key="models/${filename}")

    def status(name: str) -> int:
        boundary = uuid.uuid4().hex
        parts = [f'name="{key}"\r\n\r\n{value}' for key, value in post["fields"].items()]
        parts.append(f'name="file"; filename="{name}"\r\n\r\ncontent')
        body = "".join(
            f"--{boundary}\r\nContent-Disposition: form-data; {part}\r\n" for part in parts
        )
        request = urllib.request.Request(
            post["url"],
            data=f"{body}--{boundary}--\r\n".encode(),
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        return status_of(request)

    caller.may(allow("s3:PutObject", f"{caller.bucket_arn}/models/a-form"))
    assert status("a-form") == 204
    assert status("another") == 403


def test_a_presigned_url_has_the_permissions_of_its_signer(caller: Caller) -> None:
    """A URL allows what its signer may do at the time of use.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
    """
    for version in ("s3", "s3v4"):
        url = caller("s3", "presign", version=version, Bucket=caller.bucket, Key="other")
        caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/models/*"))
        assert status_of(url) == 403
        caller.may(allow("s3:GetObject", f"{caller.bucket_arn}/other"))
        assert status_of(url) == 200

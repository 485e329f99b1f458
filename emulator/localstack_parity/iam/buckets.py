"""What an access check has to know of S3's buckets."""

from dataclasses import dataclass

from localstack.services.s3.models import s3_stores

from localstack_parity.iam.policy import Policy, parse


@dataclass(frozen=True)
class Bucket:
    """The account that a bucket belongs to, and its policy."""

    account: str
    policy: Policy | None


def find_bucket(arn: str, account: str, region: str) -> Bucket | None:
    """Return the bucket that an ARN of S3 is about, if there is one.

    Parameters
    ----------
    arn
        Of the bucket, or of an object in it.
    account, region
        Any: which account owns a bucket is known in all of them.
    """
    name = arn.rpartition(":::")[2].partition("/")[0]
    store = s3_stores[account][region]
    owner = store.global_bucket_map.get(name)
    found = s3_stores[owner][region].buckets.get(name) if owner else None
    if found is None:
        return None
    policy = parse(f"the policy of bucket {name}", found.policy) if found.policy else None
    return Bucket(found.bucket_account_id, policy)

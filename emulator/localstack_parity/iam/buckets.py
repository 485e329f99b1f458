"""The owner and the policy of an S3 bucket."""

from dataclasses import dataclass

from localstack.services.s3.models import s3_stores

from localstack_parity.iam.policy import Policy, parse


@dataclass(frozen=True)
class Bucket:
    """The account that owns a bucket, and the bucket's policy."""

    account: str
    policy: Policy | None


def find_bucket(arn: str, account: str, region: str) -> Bucket | None:
    """Return the bucket that an S3 ARN refers to, or None if it does not exist.

    Parameters
    ----------
    arn : str
        The ARN of the bucket, or of an object in it.
    account, region : str
        Any account and region: the map of bucket owners is the same in all of them.
    """
    name = arn.rpartition(":::")[2].partition("/")[0]
    store = s3_stores[account][region]
    owner = store.global_bucket_map.get(name)
    found = s3_stores[owner][region].buckets.get(name) if owner else None
    if found is None:
        return None
    policy = parse(f"the policy of bucket {name}", found.policy) if found.policy else None
    return Bucket(found.bucket_account_id, policy)

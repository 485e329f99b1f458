"""Fixtures of the IAM tests."""

from collections.abc import Iterator

import pytest
from conftest import LocalStack
from iam.caller import Caller, make_caller


@pytest.fixture(scope="session")
def shared_caller(localstack: LocalStack) -> Iterator[Caller]:
    caller = make_caller(localstack)
    yield caller
    localstack.client("lambda").delete_function(FunctionName=caller.function.name)


@pytest.fixture
def caller(shared_caller: Caller) -> Iterator[Caller]:
    """A function whose role has no permissions yet."""
    yield shared_caller
    iam = shared_caller.localstack.client("iam")
    role = shared_caller.role
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
    if "PermissionsBoundary" in iam.get_role(RoleName=role)["Role"]:
        iam.delete_role_permissions_boundary(RoleName=role)
    shared_caller.localstack.client("s3").delete_bucket_policy(Bucket=shared_caller.bucket)

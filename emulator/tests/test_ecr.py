"""The one call to ECR that gets a response without an ECR."""

import pytest
from botocore.exceptions import ClientError
from conftest import LocalStack


def test_there_is_no_repository(localstack: LocalStack) -> None:
    """A call for all repositories lists none; a call for one gets AWS's error."""
    ecr = localstack.client("ecr")
    assert ecr.describe_repositories()["repositories"] == []
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException) as caught:
        ecr.describe_repositories(repositoryNames=["some"], registryId="000000000000")
    assert caught.value.response["Error"]["Message"] == (
        "The repository with name 'some' does not exist in the registry with id '000000000000'"
    )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_other_calls_are_refused_as_before(localstack: LocalStack) -> None:
    """Nothing pretends that a repository could be created."""
    with pytest.raises(ClientError, match="not included"):
        localstack.client("ecr").create_repository(repositoryName="some")

"""The one question to ECR that has an answer without it."""

import pytest
from botocore.exceptions import ClientError
from conftest import LocalStack


def test_there_is_no_repository(localstack: LocalStack) -> None:
    """Asked for all, it lists none; asked for one, it answers with AWS's error."""
    ecr = localstack.client("ecr")
    assert ecr.describe_repositories()["repositories"] == []
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException) as caught:
        ecr.describe_repositories(repositoryNames=["some"], registryId="000000000000")
    assert caught.value.response["Error"]["Message"] == (
        "The repository with name 'some' does not exist in the registry with id '000000000000'"
    )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_all_else_is_refused_as_before(localstack: LocalStack) -> None:
    """Nothing pretends that a repository could be made."""
    with pytest.raises(ClientError, match="not included"):
        localstack.client("ecr").create_repository(repositoryName="some")

"""What the container registry ECR answers where there is no repository, and can be none.

LocalStack's open edition has no ECR and says so to every call. But the Serverless Framework asks
whether a service has a repository before it removes it, and gives up. No function here is an image;
so this question has a true answer. Every other call is refused as before.
"""

from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.protocol.serializer import create_serializer
from rolo import Response
from rolo.gateway import HandlerChain


def answer(chain: HandlerChain[Any], context: RequestContext, response: Response) -> None:
    """Answer ``DescribeRepositories``; let every other call pass."""
    if context.service is None or context.service.service_name != "ecr":
        return
    if context.operation is None or context.operation.name != "DescribeRepositories":
        return
    asked: Any = context.service_request or {}
    if names := asked.get("repositoryNames"):
        registry = asked.get("registryId") or context.account_id
        # The words: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html
        raise CommonServiceException(
            "RepositoryNotFoundException",
            f"The repository with name '{names[0]}' does not exist in the registry with id "
            f"'{registry}'",
            status_code=400,
            sender_fault=True,
        )
    assert context.protocol is not None
    serializer = create_serializer(context.service, context.protocol)
    response.update_from(
        serializer.serialize_to_response(
            {"repositories": []}, context.operation, context.request.headers, context.request_id
        )
    )
    chain.stop()

"""The container registry ECR: respond that there are no repositories.

LocalStack's open edition does not include ECR and refuses every call. The Serverless Framework,
however, checks whether a service has a repository before it removes the service, and fails. No
function here is a container image, so there is a true response to that one call. Every other call
is refused as before.
"""

from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.protocol.serializer import create_serializer
from rolo import Response
from rolo.gateway import HandlerChain


def answer(chain: HandlerChain[Any], context: RequestContext, response: Response) -> None:
    """Respond to ``DescribeRepositories``; leave every other call to LocalStack.

    Raises
    ------
    CommonServiceException
        ``RepositoryNotFoundException``, with status 400, if the call names repositories.
    """
    if context.service is None or context.service.service_name != "ecr":
        return
    if context.operation is None or context.operation.name != "DescribeRepositories":
        return
    params: Any = context.service_request or {}
    if names := params.get("repositoryNames"):
        registry = params.get("registryId") or context.account_id
        # https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html
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

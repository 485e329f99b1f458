"""CloudFormation: delete every resource of an updated stack."""

from functools import cache, wraps

from localstack.aws.api.cloudformation import StackStatus
from localstack.services.cloudformation.engine.v2 import change_set_model_executor as engine


@cache  # called before every request to CloudFormation
def install() -> None:
    """Patch LocalStack so that deleting an updated stack deletes all of its resources.

    LocalStack deletes the resources that the stack's processed template names. ``UpdateStack``
    does not replace that template, so it remains the one that the stack was created with; the
    Serverless Framework creates stacks with a single bucket. LocalStack reported such a stack as
    deleted but kept its functions, and the next deployment failed at the first name that was
    still taken.
    """
    execute = engine.ChangeSetModelExecutor.execute

    @wraps(execute)
    def execute_and_remember(
        self: engine.ChangeSetModelExecutor,
    ) -> engine.ChangeSetModelExecutorResult:
        result = execute(self)
        change_set = self._change_set
        if change_set.stack.status != StackStatus.DELETE_IN_PROGRESS:
            change_set.stack.processed_template = change_set.processed_template
        return result

    engine.ChangeSetModelExecutor.execute = execute_and_remember  # type: ignore[method-assign]  # a patch

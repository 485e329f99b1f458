"""Where LocalStack's CloudFormation forgets what a stack holds."""

from functools import cache, wraps

from localstack.aws.api.cloudformation import StackStatus
from localstack.services.cloudformation.engine.v2 import change_set_model_executor as engine


@cache  # It is called before each call.
def install() -> None:
    """Let an updated stack be deleted as a whole.

    What is deleted is what the stack's processed template names. ``UpdateStack`` leaves there the
    template that the stack was made with; that of the Serverless Framework has one bucket. So the
    deletion of such a stack was reported as complete, its functions stayed, and the next
    deployment failed at the first name that was still taken.
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

    engine.ChangeSetModelExecutor.execute = execute_and_remember  # type: ignore[method-assign]

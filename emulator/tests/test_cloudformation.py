"""Updating and deleting stacks."""

import json
import uuid

from conftest import LocalStack


def test_an_updated_stack_is_deleted_completely(localstack: LocalStack) -> None:
    """Deleting a stack also deletes what an update added, and its template is the updated one."""
    cloudformation, s3 = localstack.client("cloudformation"), localstack.client("s3")
    stack = f"stack-{uuid.uuid4().hex[:8]}"

    def template(*names: str) -> str:
        buckets = {
            name.title(): {
                "Type": "AWS::S3::Bucket",
                "Properties": {"BucketName": f"{stack}-{name}"},
            }
            for name in names
        }
        return json.dumps({"Resources": buckets})

    def buckets() -> list[str]:
        found = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        return [name.removeprefix(f"{stack}-") for name in found if name.startswith(stack)]

    def wait(event: str) -> None:
        waiter = cloudformation.get_waiter(f"stack_{event}_complete")
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})

    cloudformation.create_stack(StackName=stack, TemplateBody=template("first"))
    wait("create")
    cloudformation.update_stack(StackName=stack, TemplateBody=template("first", "second"))
    wait("update")
    assert sorted(buckets()) == ["first", "second"]
    processed = cloudformation.get_template(StackName=stack, TemplateStage="Processed")
    assert set(processed["TemplateBody"]["Resources"]) == {"First", "Second"}

    cloudformation.update_stack(StackName=stack, TemplateBody=template("second"))
    wait("update")
    assert buckets() == ["second"]
    cloudformation.delete_stack(StackName=stack)
    wait("delete")
    assert buckets() == []

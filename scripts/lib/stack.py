"""Deploys the stack to the emulator, describes it, and requests predictions from it."""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from scripts.lib import toolchain
from scripts.lib.emulator import Emulator
from scripts.lib.project import (
    LOCAL,
    ROOT,
    ScriptError,
    architecture,
    python_version,
    write_json,
)
from training.account import DEFAULT_REGION, stack_name, stack_outputs

STACK_FILE = LOCAL / "stack.json"

# Seconds. The emulator is on this machine, but some of its answers take long.
_TIMEOUTS = Config(connect_timeout=5, read_timeout=60)


@dataclass(frozen=True)
class Stack:
    """What a client or a test needs to know about a stack. It is saved in `STACK_FILE`."""

    stage: str
    region: str
    endpoint: str
    api_key: str
    bucket: str
    emulator: Emulator

    def save(self) -> None:
        """Write `STACK_FILE` atomically."""
        write_json(STACK_FILE, asdict(self))

    @classmethod
    def load(cls) -> "Stack | None":
        """Read `STACK_FILE`; return None if it is missing or not valid."""
        try:
            values = json.loads(STACK_FILE.read_text())
            return cls(**{**values, "emulator": Emulator(**values["emulator"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None


def credentials() -> dict[str, str]:
    """Return environment variables with credentials for the emulator, and a region."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": DEFAULT_REGION,
        "AWS_DEFAULT_REGION": DEFAULT_REGION,
    }


def client(service: str, url: str) -> Any:
    """Return a boto3 client for the emulator at `url`; its type depends on the service."""
    return boto3.client(  # type: ignore[call-overload]  # the stubs accept literal names only
        service,
        endpoint_url=url,
        region_name=DEFAULT_REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=_TIMEOUTS,
    )


def serverless(
    arguments: list[str], *, stage: str, url: str, cwd: Path = ROOT, what: str | None = None
) -> str:
    """Run the deployer against the emulator and return its output.

    Parameters
    ----------
    arguments : list of str
        The command, such as ``["deploy"]``.
    stage : str
        A stage of serverless.yml. It is deployed to the emulator, whatever its name.
    url : str
        The emulator's URL.
    cwd : pathlib.Path
        The folder with serverless.yml.
    what : str, optional
        What an error says has failed; by default the command.

    Raises
    ------
    ScriptError
        The deployer failed. The message ends with the last lines of its output.
    """
    name = f"`sls {' '.join(arguments)} --stage {stage}`"
    return toolchain.run(
        [str(ROOT / "node_modules" / ".bin" / "sls"), *arguments, "--stage", stage],
        what or name,
        cwd=cwd,
        **credentials(),
        AWS_ENDPOINT_URL=url,
        EMULATED_STAGE=stage,
        # scripts/bytecode.cjs looks for a Python of the functions' version, which this one has.
        PATH=os.pathsep.join(
            [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
        ),
        LAMBDA_ARCHITECTURE=architecture(),
        PYTHON_VERSION=python_version(),
        # How often the deployer checks whether the stack is ready, in milliseconds.
        SLS_AWS_MONITORING_FREQUENCY="200",
        SLS_NOTIFICATIONS_MODE="off",
    )


def describe(emulator: Emulator, stage: str = "local") -> Stack:
    """Return the description of a stack that is deployed to the emulator.

    Raises
    ------
    ScriptError
        The stack is not deployed.
    """
    name = stack_name(stage)
    cloudformation = client("cloudformation", emulator.url)
    gateway = client("apigateway", emulator.url)
    try:
        outputs = stack_outputs(cloudformation, name)
        resource = cloudformation.describe_stack_resource(
            StackName=name, LogicalResourceId="ApiGatewayRestApi"
        )
    except cloudformation.exceptions.ClientError as exc:
        raise ScriptError(f"stack {name} is not deployed at {emulator.url}: {exc}") from exc
    api = resource["StackResourceDetail"]["PhysicalResourceId"]
    keys = gateway.get_api_keys(includeValues=True, nameQuery=name)["items"]
    return Stack(
        stage=stage,
        region=DEFAULT_REGION,
        # Path style, so that no host name has to be resolved.
        endpoint=f"{emulator.url}/restapis/{api}/{stage}/_user_request_",
        api_key=next(key["value"] for key in keys if key["name"] == name),
        bucket=outputs["ModelBucketName"],
        emulator=emulator,
    )


def ask(
    stack: Stack, path: str, instance: Mapping[str, Any], timeout: float = 60
) -> dict[str, Any]:
    """Send one instance through API Gateway and return the response's JSON.

    Parameters
    ----------
    stack : Stack
        The stack to ask.
    path : str
        The endpoint's path, such as ``/review``.
    instance : mapping
        The request's JSON object.
    timeout : float
        Seconds to wait for the response.

    Raises
    ------
    ScriptError
        There was no response, or its status was not 200.
    """
    request = urllib.request.Request(
        f"{stack.endpoint}{path}",
        json.dumps(instance).encode(),
        {"x-api-key": stack.api_key, "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            result: dict[str, Any] = json.load(answer)
            return result
    except urllib.error.HTTPError as exc:
        body = exc.read().decode(errors="replace")
        raise ScriptError(f"POST {path} was answered with {exc.code}: {body}") from exc
    except OSError as exc:
        raise ScriptError(f"{stack.endpoint}{path} did not answer: {exc}") from exc

"""Accounts: where a stage is, and clear errors when it cannot be used."""

import socket
from collections.abc import Iterator
from typing import Any, cast

import pytest

from training.account import (
    ATTEMPTS,
    CONNECT_SECONDS,
    READ_SECONDS,
    Account,
    stack_name,
    stack_outputs,
)
from training.errors import TrainingError


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that never answers; the kernel accepts its connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.parametrize("environ", [{}, {"EMULATED_STAGE": "dev"}])
def test_an_emulator_that_is_not_running_is_reported(environ: dict[str, str]) -> None:
    """Without an emulator, the error of an emulated stage names the command that starts one."""
    stage = environ.get("EMULATED_STAGE", "local")
    account = Account(stage, environ={**environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    with pytest.raises(TrainingError, match=r"127\.0\.0\.1:9 cannot be reached.*scripts/up"):
        account.target()


def test_a_server_that_never_answers_times_out(
    silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request without an answer fails after the read timeout and a fixed number of attempts."""
    monkeypatch.setattr("training.account.READ_SECONDS", 0.1)
    url = f"http://127.0.0.1:{silent.getsockname()[1]}"
    with pytest.raises(TrainingError, match=f"{url} cannot be reached: Read timeout"):
        Account("local", environ={"AWS_ENDPOINT_URL": url}).target()
    for _ in range(ATTEMPTS):
        silent.accept()[0].close()
    with pytest.raises(BlockingIOError):
        silent.accept()


@pytest.mark.parametrize("service", ["s3", "cloudformation"])
@pytest.mark.parametrize("stage", ["local", "prod"])
def test_every_client_has_timeouts(stage: str, service: str) -> None:
    """Clients of AWS and of the emulator wait for a connection for less than boto3's minute."""
    config = Account(stage, environ={}).client(service).meta.config
    assert (config.connect_timeout, config.read_timeout) == (CONNECT_SECONDS, READ_SECONDS)
    assert CONNECT_SECONDS < 60
    assert config.retries["total_max_attempts"] == ATTEMPTS


def test_only_emulated_stages_use_the_emulator() -> None:
    """`local` and the stage in EMULATED_STAGE use the emulator; every other stage uses AWS."""
    environ = {"EMULATED_STAGE": "dev"}
    endpoints = {stage: Account(stage, environ=environ).endpoint for stage in ("local", "dev")}
    assert endpoints == dict.fromkeys(("local", "dev"), "http://127.0.0.1:4566")
    assert Account("prod", environ=environ).endpoint is None


@pytest.mark.parametrize(
    ("environ", "region", "message"),
    [
        ({"AWS_ENDPOINT_URL": "nonsense"}, None, "AWS_ENDPOINT_URL is not a valid address"),
        ({}, "no region", "doesn't match a supported format"),
    ],
)
def test_an_invalid_address_is_reported(
    environ: dict[str, str], region: str | None, message: str
) -> None:
    """A mistyped endpoint or region is a clear error."""
    with pytest.raises(TrainingError, match=message):
        Account("local", region, environ=environ).target()


class FakeCloudFormation:
    """A CloudFormation client with one stack."""

    def __init__(self, **stack: Any) -> None:
        self._stack = stack

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        assert StackName == stack_name("dev") == "sklearn-api-dev"
        return {"Stacks": [self._stack]}


def test_outputs_of_a_stack_are_read_by_their_keys() -> None:
    """A stack without outputs has none, and is not an error."""
    outputs = [
        {"OutputKey": "ModelBucketName", "OutputValue": "models"},
        {"OutputKey": "ModelRuntime", "OutputValue": "python3.13"},
    ]
    for stack, expected in (
        ({"Outputs": outputs}, {"ModelBucketName": "models", "ModelRuntime": "python3.13"}),
        ({}, {}),
    ):
        client = cast(Any, FakeCloudFormation(**stack))
        assert stack_outputs(client, stack_name("dev")) == expected

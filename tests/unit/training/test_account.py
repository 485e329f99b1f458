"""Accounts that cannot be used say why."""

import pytest

from training.account import Account
from training.errors import TrainingError


@pytest.mark.parametrize("environ", [{}, {"EMULATED_STAGE": "dev"}])
def test_an_emulator_that_does_not_run_is_said(environ: dict[str, str]) -> None:
    """Without the emulator, a stage that is sent to it says how to start it."""
    stage = environ.get("EMULATED_STAGE", "local")
    account = Account(stage, environ={**environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    with pytest.raises(TrainingError, match=r"127\.0\.0\.1:9 cannot be reached.*scripts/up"):
        account.target()


def test_only_emulated_stages_are_sent_to_the_emulator() -> None:
    """`local` is, and the stage in EMULATED_STAGE; every other one is AWS's."""
    environ = {"EMULATED_STAGE": "dev"}
    endpoints = {stage: Account(stage, environ=environ).endpoint for stage in ("local", "dev")}
    assert endpoints == dict.fromkeys(("local", "dev"), "http://127.0.0.1:4566")
    assert Account("prod", environ=environ).endpoint is None


@pytest.mark.parametrize(
    ("environ", "region", "message"),
    [
        ({"AWS_ENDPOINT_URL": "nonsense"}, None, "AWS_ENDPOINT_URL is no address"),
        ({}, "no region", "doesn't match a supported format"),
    ],
)
def test_what_is_no_address_is_said(
    environ: dict[str, str], region: str | None, message: str
) -> None:
    """A mistyped endpoint or region is an error in words."""
    with pytest.raises(TrainingError, match=message):
        Account("local", region, environ=environ).target()

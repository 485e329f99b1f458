"""The setting ``IAM_ENFORCE``."""

import os
import subprocess
from pathlib import Path

import pytest
from conftest import CLI, LocalStack, start_localstack
from iam.caller import make_caller
from localstack_parity.iam import enforced


def test_the_switch_is_on_or_off() -> None:
    """Any other value is an error, never a guess."""
    assert enforced({})
    assert enforced({"IAM_ENFORCE": "on"})
    assert not enforced({"IAM_ENFORCE": "off"})
    with pytest.raises(ValueError, match="IAM_ENFORCE is '0'; it must be on"):
        enforced({"IAM_ENFORCE": "0"})


def test_iam_is_on_by_default(localstack: LocalStack) -> None:
    """`/_localstack/parity` reports that policies are enforced."""
    assert localstack.info()["iam"] == "on"


def test_iam_enforce_off_checks_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """``IAM_ENFORCE=off`` restores LocalStack's own behaviour, and `/_localstack/parity` reports it."""
    localstack = start_localstack(tmp_path_factory.mktemp("off"), IAM_ENFORCE="off")
    try:
        caller = make_caller(localstack)
        assert caller("s3", "get_object", Bucket=caller.bucket, Key="other")["status"] == 200
        assert localstack.info()["iam"] == "off"
    finally:
        localstack.stop()


def test_an_invalid_value_of_the_switch_prevents_the_start(tmp_path: Path) -> None:
    """A mistyped setting does not silently turn the checks on or off."""
    ended = subprocess.run(
        [*CLI, "start", "--state-dir", str(tmp_path)],
        env={**os.environ, "IAM_ENFORCE": "no"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == "error: IAM_ENFORCE is 'no'; it must be on (the default) or off\n"

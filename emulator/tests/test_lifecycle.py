"""Starting and ending LocalStack, and what is left behind: nothing."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import (
    CLI,
    LocalStack,
    archive,
    command_line,
    create_function,
    free_port,
    start_localstack,
    wait_for,
)

BUSY = (
    "import subprocess, time\n"
    "subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
    "def handler(event, context):\n"
    "    time.sleep(event or 0)\n"
)


def sleeps(localstack: LocalStack) -> int:
    return sum(b"sleep" in command_line(pid) for pid in localstack.function_processes())


@pytest.fixture
def own_localstack(tmp_path: Path) -> LocalStack:
    return start_localstack(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_function_outlives_localstack(own_localstack: LocalStack, number: int) -> None:
    """However LocalStack ends, idle and busy functions and their children end with it."""
    idle = create_function(own_localstack, BUSY)
    idle.invoke()
    busy = create_function(own_localstack, BUSY, Timeout=60)
    own_localstack.client("lambda").invoke(
        FunctionName=busy.name, InvocationType="Event", Payload="30"
    )
    wait_for(lambda: sleeps(own_localstack) == 2, what="a child of each function")
    own_localstack.stop(number)
    wait_for(lambda: own_localstack.function_processes() == [], what="no process")
    environments = own_localstack.state / "tmp" / "lambda" / "environments"
    wait_for(lambda: not any(environments.iterdir()), what="no folder of an environment")


def test_an_idle_environment_is_stopped(tmp_path: Path) -> None:
    """After LocalStack's keep-alive time an unused process and its folder are gone."""
    localstack = start_localstack(tmp_path, LAMBDA_KEEPALIVE_MS="300")
    try:
        create_function(localstack, BUSY).invoke()
        wait_for(lambda: localstack.function_processes() == [], what="no process")
    finally:
        localstack.stop()


def test_a_runtime_that_is_not_installed_fails_the_function(tmp_path: Path) -> None:
    """Creating a function whose runtime is missing fails it, and says how to install it."""
    localstack = start_localstack(tmp_path, LAMBDA_RUNTIMES_DIR=str(tmp_path / "none"))
    try:
        client = localstack.client("lambda")
        client.create_function(
            FunctionName="wants-another-python",
            Runtime="python3.9",
            Handler="handler.handler",
            Role="arn:aws:iam::000000000000:role/any",
            Code={"ZipFile": archive({"handler.py": ""})},
        )

        def state() -> dict[str, str] | None:
            found = client.get_function_configuration(FunctionName="wants-another-python")
            return None if found["State"] == "Pending" else found

        found = wait_for(state, what="a final state")
    finally:
        localstack.stop()
    assert found["State"] == "Failed"
    assert "python3.9 is not installed" in found["StateReason"]
    assert "localstack-parity install-runtime python3.9" in found["StateReason"]


def test_a_used_port_is_one_clear_sentence(localstack: LocalStack, tmp_path: Path) -> None:
    """Starting on a port that is taken fails at once and names it."""
    result = subprocess.run(
        [*CLI, "start", "--port", str(localstack.port), "--state-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert result.returncode == 1
    assert f"127.0.0.1:{localstack.port}" in result.stderr
    assert "Traceback" not in result.stderr


def test_check_is_a_health_check(localstack: LocalStack) -> None:
    """`check` succeeds where LocalStack answers with this executor, and fails in words elsewhere."""
    for port, status in ((localstack.port, 0), (free_port(), 1)):
        result = subprocess.run(
            [*CLI, "check", "--port", str(port)], capture_output=True, text=True, timeout=30
        )
        assert result.returncode == status
        assert "Traceback" not in result.stderr


def test_two_do_not_share_a_folder(localstack: LocalStack) -> None:
    """A second LocalStack in the same state folder is refused: it would delete the first one's."""
    result = subprocess.run(
        [*CLI, "start", "--port", str(free_port()), "--state-dir", str(localstack.state)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert result.returncode == 1
    assert f"another LocalStack uses {localstack.state}" in result.stderr


def test_nothing_is_written_outside_the_state_folder(localstack: LocalStack) -> None:
    """Objects in S3 lie in the state folder, so that LocalStacks do not meet each other's."""
    s3 = localstack.client("s3")
    s3.create_bucket(Bucket="some-bucket")
    s3.put_object(Bucket="some-bucket", Key="key", Body=b"a body to be found on the disk")
    assert list((localstack.state / "tmp" / "s3").rglob("*"))


def test_without_the_plugin_nothing_starts(tmp_path: Path) -> None:
    """When LocalStack does not find the plugin, starting fails instead of falling back to Docker."""
    # The package is importable from its folder, but not installed: no entry point names it.
    code = (
        "import sys\n"
        "from importlib import metadata\n"
        "hidden = metadata.distributions\n"
        "metadata.distributions = lambda **k: (d for d in hidden(**k)"
        " if d.metadata['Name'] != 'localstack-parity')\n"
        "from localstack_parity.cli import main\n"
        f"sys.exit(main(['start', '--port', '{free_port()}', '--state-dir', {str(tmp_path)!r}]))\n"
    )
    result = subprocess.run(
        [CLI[0], "-c", code], capture_output=True, text=True, timeout=60, env=dict(os.environ)
    )
    assert result.returncode == 1
    assert "does not find the plugin" in result.stderr

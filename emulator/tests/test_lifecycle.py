"""LocalStack starts and ends, and leaves nothing behind."""

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
    """Idle and busy functions, and their children, end with LocalStack, however it ends."""
    idle = create_function(own_localstack, BUSY)
    idle.invoke()
    busy = create_function(own_localstack, BUSY, Timeout=60)
    own_localstack.client("lambda").invoke(
        FunctionName=busy.name, InvocationType="Event", Payload="30"
    )
    wait_for(lambda: sleeps(own_localstack) == 2, what="a child of each function")
    own_localstack.stop(number)
    wait_for(lambda: own_localstack.function_processes() == [], what="no process")
    wait_for(lambda: not own_localstack.environments(), what="no folder of an environment")


def test_an_idle_environment_is_stopped(tmp_path: Path) -> None:
    """An idle process ends after LocalStack's keep-alive time, and its folder is removed."""
    localstack = start_localstack(tmp_path, LAMBDA_KEEPALIVE_MS="300")
    try:
        create_function(localstack, BUSY).invoke()
        wait_for(lambda: localstack.function_processes() == [], what="no process")
        wait_for(lambda: not localstack.environments(), what="no folder of an environment")
    finally:
        localstack.kill()


def test_a_runtime_that_is_not_installed_fails_the_function(tmp_path: Path) -> None:
    """A function whose runtime is missing fails to create, and the reason says how to install it."""
    localstack = start_localstack(tmp_path, LAMBDA_RUNTIMES_DIR=str(tmp_path / "none"))
    try:
        client = localstack.client("lambda")
        client.create_function(
            FunctionName="needs-another-python",
            Runtime="python3.9",
            Handler="handler.handler",
            Role="arn:aws:iam::000000000000:role/any",
            Code={"ZipFile": archive({"handler.py": ""})},
        )

        def state() -> dict[str, str] | None:
            found = client.get_function_configuration(FunctionName="needs-another-python")
            return None if found["State"] == "Pending" else found

        found = wait_for(state, what="a final state")
    finally:
        localstack.kill()
    assert found["State"] == "Failed"
    assert "python3.9 is not installed" in found["StateReason"]
    assert "localstack-parity install-runtime python3.9" in found["StateReason"]


def test_a_port_in_use_is_reported_in_one_sentence(localstack: LocalStack, tmp_path: Path) -> None:
    """Starting on a port that is in use fails immediately, and the message names the port."""
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
    """`check` succeeds if LocalStack answers with this executor; otherwise it prints an error."""
    for port, status in ((localstack.port, 0), (free_port(), 1)):
        result = subprocess.run(
            [*CLI, "check", "--port", str(port)], capture_output=True, text=True, timeout=30
        )
        assert result.returncode == status
        assert "Traceback" not in result.stderr


def test_a_state_folder_in_use_is_refused(localstack: LocalStack) -> None:
    """A second LocalStack does not start in a state folder: it would delete the first one's files."""
    result = subprocess.run(
        [*CLI, "start", "--port", str(free_port()), "--state-dir", str(localstack.state)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert result.returncode == 1
    assert f"another LocalStack uses {localstack.state}" in result.stderr


def test_nothing_is_written_outside_the_state_folder(localstack: LocalStack) -> None:
    """S3 objects are stored in the state folder, so that two LocalStacks do not share them."""
    s3 = localstack.client("s3")
    s3.create_bucket(Bucket="some-bucket")
    s3.put_object(Bucket="some-bucket", Key="key", Body=b"a body to be found on the disk")
    assert list((localstack.state / "tmp" / "s3").rglob("*"))


def test_localstack_does_not_start_without_the_plugin(tmp_path: Path) -> None:
    """If LocalStack does not find the plugin, it fails to start instead of using Docker."""
    # The package can be imported from its folder, but is not installed: it has no entry points.
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

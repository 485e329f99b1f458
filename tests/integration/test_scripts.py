"""The scripts, and all commands of the README, in a copy of the project."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.lib import emulator as emulators
from scripts.lib import toolchain
from scripts.lib.emulator import Emulator
from scripts.lib.project import ROOT, ScriptError, python_version
from scripts.lib.stack import Stack, ask, client
from tests.helpers.waiting import wait_for
from tests.integration.deployed import copy_project

pytestmark = pytest.mark.skipif(
    emulators.host() != "127.0.0.1",
    reason="these scripts start an emulator on this machine; here it runs in another container",
)

COPIED = (
    *("serverless.yml", "package.json", "package-lock.json", ".python-version", "pyproject.toml"),
    ".env.local",
    *(
        "README.md",
        "docs/your-model.md",
        "handlers",
        "sklearn_api",
        "training",
        "benchmarks",
        "scripts",
        "requirements",
        "tests/events",
    ),
    *("emulator/pyproject.toml", "emulator/requirements.lock", "emulator/localstack_parity"),
)
# Commands of the README that the test does not run, with the reason.
NOT_RUN = {
    "./scripts/test": "it runs this very test",
}

SECONDS = 570
"""How long a script may take. The README's commands took 222 s on a machine with other work."""

LOVED = {"review_text": "I love this movie"}

# Appended to a handler, it replaces the prediction.
CHANGED = """

predicting = handler


def handler(event, context):
    return {**predicting(event, context), "body": '{"prediction": "Thumbs up", "model": {"version": "?"}}'}
"""


@pytest.fixture
def port() -> int:
    return emulators.free_port()


@pytest.fixture
def checkout(tmp_path: Path, layer: Path, port: int) -> Iterator[Path]:
    """A copy of the project with the installed environments; nothing keeps running in it."""
    folder = copy_project(tmp_path / "checkout", *COPIED)
    (folder / "emulator" / ".venv").symlink_to(ROOT / "emulator" / ".venv")
    for environment in ROOT.glob(".venv*"):
        (folder / environment.name).symlink_to(environment)
    yield folder
    if found := emulators.find(port):
        emulators.stop(found)


def script(
    checkout: Path, *command: str, port: int | None = None, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a script in the copy."""
    variables = toolchain.without_aws()
    if port is not None:
        variables["EMULATOR_PORT"] = str(port)
    return subprocess.run(
        command,
        cwd=checkout,
        env={**variables, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_up_twice_and_down(checkout: Path, port: int) -> None:
    """`up` ends with predictions and leaves LocalStack running; a second `up` reuses it; `down` stops it."""
    first = script(checkout, "./scripts/up", port=port)
    assert first.returncode == 0, first.stdout
    assert "“I love this movie” → Positive Review" in first.stdout
    assert "“I hate this movie” → Negative Review" in first.stdout
    stack = json.loads((checkout / ".local" / "stack.json").read_text())
    assert set(stack) == {"stage", "region", "endpoint", "api_key", "bucket", "emulator"}
    assert set(stack["emulator"]) == {"pid", "port", "executor"}
    assert stack["emulator"]["executor"] == "process"
    assert stack["emulator"]["port"] == port
    curls = re.findall(r"curl -X POST .*?'\n", first.stdout, re.DOTALL)
    assert [re.findall(r"/_user_request_(\S+)", curl) for curl in curls] == [
        ["/review"],
        ["/churn"],
    ]
    for curl in curls:
        assert '"prediction"' in script(checkout, "bash", "-c", curl).stdout
    assert re.search(r"tenure: \d+, .* → (yes|no) ", first.stdout)

    second = script(checkout, "./scripts/up", port=port)
    assert second.returncode == 0, second.stdout
    for reused in (
        "emulator: current",
        "Models are current: review, churn",
        "layer: current",
        "already running",
    ):
        assert reused in second.stdout, second.stdout
    assert "Deployment is current" in second.stdout
    assert "sls deploy" not in second.stdout
    assert json.loads((checkout / ".local" / "stack.json").read_text()) == stack

    down = script(checkout, "./scripts/down")
    assert down.returncode == 0, down.stdout
    assert emulators.find(port) is None
    assert not (checkout / ".local" / "stack.json").exists()
    assert [path.name for path in (checkout / ".local" / "localstack").iterdir()] == [f"{port}.log"]
    again = script(checkout, "./scripts/down")
    assert (again.returncode, "Nothing to stop" in again.stdout) == (0, True)


def test_files_of_killed_emulators_are_removed() -> None:
    """An emulator that starts removes the files of killed ones, and at its end its own."""
    runs, killed = (emulators.start(emulators.free_port()) for _ in range(2))
    try:
        os.kill(killed.pid, signal.SIGKILL)
        wait_for(lambda: emulators.port_is_free(killed.port), "its end")
        assert (emulators.state_directory(killed.port) / "tmp").is_dir()
        last = emulators.start(emulators.free_port())
        try:
            assert not emulators.state_directory(killed.port).exists()
            assert (emulators.state_directory(runs.port) / "tmp").is_dir()
            assert emulators.find(runs.port) == runs
        finally:
            emulators.stop(last)
            emulators.log_path(last.port).unlink()
        assert not emulators.state_directory(last.port).exists()
    finally:
        emulators.stop(runs)
        for one in (runs, killed):
            emulators.log_path(one.port).unlink()


def test_up_repairs_what_has_changed(checkout: Path, port: int) -> None:
    """`up` deploys a changed handler, repairs a changed function, and publishes a missing model."""

    def up() -> str:
        done = script(checkout, "./scripts/up", port=port)
        assert done.returncode == 0, done.stdout
        return done.stdout

    up()
    handler = checkout / "handlers" / "review" / "handler.py"
    handler.write_text(handler.read_text() + CHANGED)
    assert "Thumbs up" in up()
    handler.write_text(handler.read_text().removesuffix(CHANGED))
    assert "“I love this movie” → Positive Review" in up()

    url = f"http://127.0.0.1:{port}"
    functions: Any = client("lambda", url)
    functions.update_function_configuration(
        FunctionName="sklearn-api-local-review", Environment={"Variables": {}}
    )
    mended = up()
    assert "sls deploy --stage local: deployed" in mended
    assert "“I love this movie” → Positive Review" in mended

    store: Any = client("s3", url)
    stack = json.loads((checkout / ".local" / "stack.json").read_text())
    store.delete_object(Bucket=stack["bucket"], Key="models/review/current.json")
    functions.update_function_code(  # so that no running function has the model in memory
        FunctionName="sklearn-api-local-review",
        ZipFile=(checkout / ".serverless" / "review.zip").read_bytes(),
    )
    published = up()
    assert "Deployment is current" in published
    assert "Published" in published
    assert "“I love this movie” → Positive Review" in published


@dataclass
class Dev:
    """A running `scripts/dev` and its output."""

    process: "subprocess.Popen[str]"
    log: Path
    stack: Stack

    def ask(self) -> str:
        """Return the prediction of POST /review, or the error."""
        try:
            return str(ask(self.stack, "/review", LOVED)["prediction"])
        except ScriptError as exc:
            return str(exc)


@pytest.fixture
def dev(checkout: Path, port: int, tmp_path: Path) -> Iterator[Dev]:
    """`scripts/dev`, once it reports that it runs the saved code."""
    log = tmp_path / "dev.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            ["./scripts/dev"],
            cwd=checkout,
            env={**os.environ, "EMULATOR_PORT": str(port)},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            # If the tests run in the background, SIGINT is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process,
    ):
        ready = "Now running"
        wait_for(lambda: ready in log.read_text() or process.poll() is not None, ready, 200)
        assert ready in log.read_text(), log.read_text()
        found = json.loads((checkout / ".local" / "stack.json").read_text())
        yield Dev(process, log, Stack(**{**found, "emulator": Emulator(**found["emulator"])}))
        process.kill()


def test_dev_answers_with_what_is_saved(checkout: Path, dev: Dev) -> None:
    """A saved change answers the next request, a mistake is reported, and Ctrl-C restores everything."""
    handler = checkout / "handlers" / "review" / "handler.py"
    original = handler.read_text()
    saved = "handlers/review/handler.py → review"
    assert dev.ask() == "Positive Review"

    handler.write_text(original + CHANGED)
    wait_for(lambda: saved in dev.log.read_text(), "the change is seen", 10)
    assert dev.ask() == "Thumbs up"

    written = len(dev.log.read_text())
    handler.write_text(original + "def broken(:\n")
    wait_for(
        lambda: "is not valid Python: line" in dev.log.read_text()[written:], "the mistake", 10
    )
    assert "502" in dev.ask()

    # A new file of the package that all endpoints share, imported by an existing one.
    written = len(dev.log.read_text())
    (checkout / "sklearn_api" / "smile.py").write_text("SMILE = 'with a smile'\n")
    handler.write_text(
        f"{original}\nfrom sklearn_api.smile import SMILE\n"
        + CHANGED.replace('\'{"prediction": "Thumbs up", ', '\'{"prediction": "\' + SMILE + \'", ')
    )
    wait_for(lambda: saved in dev.log.read_text()[written:], "the change is seen", 10)
    assert "smile.py → review, churn" in dev.log.read_text()[written:]
    assert dev.ask() == "with a smile"

    written = len(dev.log.read_text())
    function = checkout / "handlers" / "review" / "function.yml"
    function.write_text(function.read_text() + "timeout: 14\n")
    wait_for(
        lambda: "function.yml changed; to deploy it: ./scripts/up" in dev.log.read_text()[written:],
        "the change of the declaration",
        10,
    )

    dev.process.send_signal(signal.SIGINT)
    assert dev.process.wait(30) == 130
    log = dev.log.read_text()
    assert "sklearn-api-local-review: runs the deployed code" in log
    assert "Traceback" not in log
    assert dev.ask() == "Positive Review"


def test_bench_measures_a_stack_of_its_own(checkout: Path) -> None:
    """`bench` needs no running stack and leaves nothing running."""
    quick = ("--quick", "--only", "warm", "--requests", "20")
    bench = script(checkout, "./scripts/bench", *quick)
    assert bench.returncode == 0, bench.stdout
    for shown in ("median ms", "requests/s", "this project, GET /health"):
        assert shown in bench.stdout
    assert not list((checkout / ".local" / "localstack").glob("*/"))


def test_down_leaves_an_emulator_that_up_did_not_start(checkout: Path, port: int) -> None:
    """`up` uses a LocalStack that was started by hand, and `down` leaves it running."""
    variables = {**os.environ, "EMULATOR_PORT": str(port)}
    with subprocess.Popen(["./scripts/emulator"], cwd=checkout, env=variables) as by_hand:
        wait_for(lambda: emulators.find(port), "LocalStack", 60)
        assert script(checkout, "./scripts/up", port=port).returncode == 0
        second = script(checkout, "./scripts/up", "--port", str(emulators.free_port()))
        assert second.returncode == 1
        assert f"a stack running at port {port}" in second.stdout
        down = script(checkout, "./scripts/down")
        assert "keeps running" in down.stdout
        found = emulators.find(port)
        assert found
        assert found.pid == by_hand.pid
        by_hand.terminate()


def test_a_used_port_is_reported_in_a_sentence(checkout: Path, port: int) -> None:
    """If another program uses the port, `up` ends at once, names the port and suggests a free one."""
    with socket.create_server(("127.0.0.1", port)):
        result = script(checkout, "./scripts/up", "--port", str(port))
    assert result.returncode == 1
    assert f"error: port {port} is used by another program" in result.stdout
    assert "Traceback" not in result.stdout


@pytest.mark.parametrize(
    ("command", "environment", "message"),
    [
        (["up"], {"PYTHON_VERSION": "3.8"}, "runs on 3.11, 3.12, 3.13"),
        (["up", "--port", "70000"], {}, "port 70000 is not valid"),
        (["up", "--data", "no/such/file.csv"], {}, "there is no file no/such/file.csv"),
        (["bench", "--requests", "3"], {}, "--requests must be at least 16"),
    ],
)
def test_mistakes_are_reported_in_a_sentence(
    checkout: Path, port: int, command: list[str], environment: dict[str, str], message: str
) -> None:
    """A mistake ends with one clear sentence, without a traceback, and with nothing running."""
    name, *arguments = command
    result = script(checkout, f"./scripts/{name}", *arguments, port=port, **environment)
    assert result.returncode != 0
    assert message in result.stdout
    assert "Traceback" not in result.stdout
    assert emulators.find(port) is None


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ("#!/bin/sh\necho v18.19.0\n", "Node.js v18.19.0 is too old"),
        (None, "`node` or `npm` was not found: install Node.js 20 or newer"),
    ],
)
def test_a_missing_or_old_node_is_reported(
    checkout: Path, tmp_path: Path, node: str | None, message: str
) -> None:
    """Without a suitable Node.js, `up` says how to get one."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "sh", "env", "tr", "cmp", "dirname", "cp", "git"):
        (tools / name).symlink_to(shutil.which(name) or "")
    if node:
        for name in ("node", "npm"):
            (tools / name).write_text(node)
            (tools / name).chmod(0o755)
    result = script(checkout, "./scripts/up", PATH=str(tools), UV=toolchain.uv())
    assert result.returncode == 1
    assert message in result.stdout
    assert "nodejs.org" in result.stdout


def test_a_failed_deployment_leaves_nothing_running(checkout: Path, port: int) -> None:
    """If serverless.yml cannot be deployed, `up` prints the deployer's reason and stops LocalStack."""
    configuration = checkout / "serverless.yml"
    configuration.write_text(
        configuration.read_text().replace("provider:\n", "provider:\n  nonsense: 1\n")
    )
    result = script(checkout, "./scripts/up", port=port)
    assert result.returncode == 1
    assert "`sls deploy --stage local` failed" in result.stdout
    assert "nonsense" in result.stdout
    assert emulators.port_is_free(port)
    assert not (checkout / ".local" / "stack.json").exists()


def test_an_emulator_that_dies_is_reported(checkout: Path, port: int) -> None:
    """If LocalStack ends during a deployment, `up` reports it and leaves nothing running."""
    variables = {**os.environ, "EMULATOR_PORT": str(port)}
    with subprocess.Popen(
        ["./scripts/up"],
        cwd=checkout,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        found = wait_for(lambda: emulators.find(port), "LocalStack", 120)
        os.kill(found.pid, signal.SIGKILL)
        output, _ = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "error: " in output
    assert "Traceback" not in output
    assert emulators.port_is_free(port)


def test_ctrl_c_cleans_up(checkout: Path, port: int) -> None:
    """Ctrl-C during `up` stops LocalStack too, and is reported without a traceback."""
    with subprocess.Popen(
        ["./scripts/up"],
        cwd=checkout,
        env={**os.environ, "EMULATOR_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        # If the tests run in the background, they and their children ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        wait_for(lambda: emulators.find(port), "LocalStack", 120)
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped by Ctrl-C" in output
    assert "Traceback" not in output
    assert emulators.port_is_free(port)


@pytest.mark.parametrize(
    "name", ["up", "dev", "down", "new", "test", "bench", "build-layer", "lock", "emulator"]
)
def test_every_script_explains_itself(name: str) -> None:
    """`--help` explains what a script does."""
    result = script(ROOT, f"./scripts/{name}", "--help")
    assert result.returncode == 0, result.stdout
    assert "usage: " in result.stdout
    assert len(result.stdout.splitlines()) > 4


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the fenced blocks of a Markdown text with their languages."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(SECONDS + 30)
def test_readme_commands_work(checkout: Path, port: int) -> None:
    """Every command of the README and of docs/your-model.md runs, and does what they promise."""
    if python_version() != (ROOT / ".python-version").read_text().strip():
        pytest.skip("the README is about the declared Python, and this run uses another one")
    text = (checkout / "README.md").read_text()
    # The page that this section refers to goes on with what the section has deployed.
    start, train, rest = text.partition("## Train on real reviews")
    text = start + (checkout / "docs" / "your-model.md").read_text() + train + rest
    commands = [body for language, body in blocks(text) if language == "bash"]
    assert len(commands) >= 10
    lines = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT"]
    for body in commands:
        if body.strip() in NOT_RUN:
            continue
        if body.strip() == "./scripts/emulator":
            lines.append(
                "./scripts/emulator & until curl -s "
                f"http://127.0.0.1:{port}/_localstack/parity; do sleep 0.2; done"
            )
        elif "stanfordnlp/imdb" in body:
            # The hub may be unreachable; then the reason must be printed.
            lines.append(
                f"out=$({body.strip()} 2>&1) || grep 'is the network reachable' <<<\"$out\""
            )
        else:
            lines.append(body)
    result = script(
        checkout,
        "bash",
        "-c",
        "\n".join(lines),
        port=port,
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_REGION="us-east-1",
        AWS_DEFAULT_REGION="us-east-1",
        EMULATED_STAGE="dev",
        SLS_AWS_MONITORING_FREQUENCY="200",
    )
    assert result.returncode == 0, result.stdout
    for promised in (
        "healthy",
        '"prediction": "Positive Review"',
        "Negative Review",
        "🙂",
        '"prediction": 207.56',
        '"prediction": "billing"',
        "sklearn-api-local-models",
        "Service deployed to stack sklearn-api-dev",
        "stage dev serves",
        "objects from sklearn-api-local-models",
    ):
        assert promised in result.stdout, f"{promised}\n{result.stdout}"
    assert result.stdout.count("has been successfully removed") == 2
    assert re.search(r"^[A-Za-z0-9]{20,}$", result.stdout, re.MULTILINE), "the generated key"

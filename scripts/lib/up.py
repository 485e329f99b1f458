"""Bring the whole API up on this machine: train, build, emulate, deploy, publish, ask."""

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError

from scripts.lib import emulator as emulators
from scripts.lib import record, toolchain
from scripts.lib.console import OUT, run_main, step
from scripts.lib.emulator import Emulator
from scripts.lib.layer.build import build_layer
from scripts.lib.project import LOCAL, ROOT, ScriptError, architecture, python_version, tail
from scripts.lib.record import Record
from scripts.lib.stack import STACK_FILE, Stack, ask, credentials, describe, serverless

REVIEWS = ("I love this movie", "I hate this movie")
MODEL = LOCAL / "model" / "review"


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/up",
        description="Train a model, start LocalStack, deploy the API to it with the Serverless "
        "Framework, publish the model and send two reviews. What is current is used again. "
        "LocalStack keeps running: scripts/down stops it.",
    )
    parser.add_argument(
        "--data",
        metavar="PATH|HUB_ID",
        help="reviews to train on: a csv, jsonl or parquet file, or a data set of the Hugging Face "
        "hub such as stanfordnlp/imdb (default: the sample that comes with the project)",
    )
    parser.add_argument(
        "--port",
        type=int,
        help="port for LocalStack on 127.0.0.1 (default: EMULATOR_PORT, or 4566)",
    )
    return parser.parse_args()


def training(command: list[str], what: str, url: str | None = None) -> None:
    """Run ``python -m training`` with its output on this terminal."""
    environment = toolchain.without_aws()
    if url:
        environment |= {**credentials(), "AWS_ENDPOINT_URL": url}
    result = subprocess.run(
        [sys.executable, "-m", "training", *command], env=environment, check=False
    )
    if result.returncode == 130:
        raise KeyboardInterrupt
    if result.returncode:
        raise ScriptError(f"{what} failed: see above")


def running_emulator(port: int) -> Emulator | None:
    """Return the emulator that `up` may use again, None where one has to be started."""
    found = emulators.find(port)
    if found and found.executor != "process":
        raise ScriptError(
            f"a LocalStack with the executor {found.executor!r} listens at port {port}; stop it, "
            "or choose another port with --port"
        )
    return found


def train(data: str | None, made: Record | None = None) -> None:
    """Train a model, unless the one that is there would come out again.

    Where the `made` record says so, training is not even asked: it imports scikit-learn.
    """
    if data is None and made and made.model == record.model_inputs():
        OUT.print("✓ Model is current", markup=False)
        return
    options = ["--data", data] if data else []
    training(["train", "--if-changed", "--output", str(MODEL), *options], "training")


def get_emulator(port: int, started: list[Emulator]) -> Emulator:
    """Return the emulator that runs, or start one; `started` tells what to stop after a failure."""
    with step(f"LocalStack at port {port}") as done:
        current = running_emulator(port)
        if current:
            done(f"runs already, as process {current.pid}")
        else:
            current = emulators.start(port)
            started.append(current)
            done(f"started, as process {current.pid}, functions run as processes")
    if not emulators.has_namespaces(current):
        OUT.print("  Functions do not see AWS's paths: that needs bubblewrap (see the README).")
    return current


def deploy(current: Emulator) -> Stack:
    """Deploy the stack and publish the model to it."""
    with step("sls deploy --stage local") as done:
        serverless(["deploy"], stage="local", url=current.url)
        stack = describe(current)
        stack.save()
        done("deployed")
    publish(stack)
    return stack


def publish(stack: Stack) -> None:
    """Publish the model to a stack."""
    training(
        ["publish", "--stage", "local", "--model", str(MODEL)], "publishing", stack.emulator.url
    )


def deployed_already(current: Emulator, made: Record, inputs: str) -> Stack | None:
    """Return the stack that runs, with the model that is there, None where something differs.

    Parameters
    ----------
    current : Emulator
        Where it would run.
    made : Record
        What the last `up` has deployed.
    inputs : str
        Digest of what would be deployed now.
    """
    if made.deployment != inputs or made.deployed != record.deployed(current):
        return None
    stack = describe(current)
    stack.save()
    sha256 = json.loads((MODEL / "manifest.json").read_text())["sha256"]
    try:
        version = ask(stack, REVIEWS[0])["model"]["version"]
    except ScriptError:  # such as: no model has been published
        version = ""
    if not version.endswith(sha256[:8]):
        publish(stack)
    return stack


def predictions(stack: Stack) -> None:
    """Send one review each way and print the answers."""
    with step("Asking for predictions") as done:
        answers = [(review, ask(stack, review)) for review in REVIEWS]
        done("answered")
    for review, answer in answers:
        OUT.print(
            f"    “{review}” → {answer['prediction']}  (score {answer['score']:+.2f})", markup=False
        )


def summary(stack: Stack, hints: Mapping[str, str]) -> None:
    """Print what a person does next: a request to paste, and the `hints`."""
    curl = (
        f"curl -X POST {stack.endpoint}/review \\\n"
        f"    -H 'x-api-key: {stack.api_key}' -H 'Content-Type: application/json' \\\n"
        """    -d '{"review_text": "What a film!"}'"""
    )
    lines = "".join(f"{title + ':':<24} {hint}\n" for title, hint in hints.items())
    OUT.print(
        f"\nThe API is up.\n\n  endpoint  {stack.endpoint}\n  API key   {stack.api_key}\n\n"
        f"Try it:\n\n  {curl}\n\n{lines}",
        markup=False,
        end="",
    )


def refuse_second(port: int) -> None:
    """Refuse to start a second stack beside one that `scripts/down` would no longer know."""
    known = Stack.load()
    if known and known.emulator.port != port and emulators.find(known.emulator.port):
        raise ScriptError(
            f"scripts/up has a stack running at port {known.emulator.port}; use that port, "
            "or stop it with ./scripts/down first"
        )


def _shown(path: Path) -> str:
    return shlex.quote(os.path.relpath(path))


def chosen_port(option: int | None) -> int:
    """Return the port to use, by the option ``--port`` or the environment; check it."""
    port = emulators.default_port() if option is None else option
    if not 0 < port < 65536:
        raise ScriptError(f"port {port} is none: use a number from 1 to 65535")
    refuse_second(port)
    if not emulators.port_is_free(port) and running_emulator(port) is None:
        raise ScriptError(
            f"port {port} is used by another program; choose another with --port, "
            f"for example --port {emulators.free_port()}"
        )
    return port


@contextmanager
def undone_on_failure(port: int) -> Iterator[list[Emulator]]:
    """Stop the emulators that the caller has added to the list, if its work fails."""
    started: list[Emulator] = []
    try:
        try:
            yield started
        except BotoCoreError as exc:
            raise ScriptError(f"LocalStack at port {port} does not answer any more: {exc}") from exc
    except BaseException as exc:
        log = emulators.log_path(port)
        for one in started:
            emulators.stop(one)
            STACK_FILE.unlink(missing_ok=True)
        if isinstance(exc, ScriptError) and started:
            raise ScriptError(
                f"{exc}\nLocalStack has been stopped; the end of {_shown(log)}:\n{tail(log, 8)}"
            ) from exc
        raise


def bring_up(port: int, data: str | None = None) -> Stack:
    """Do what is not done yet, and return the stack when it has answered.

    Raises
    ------
    ScriptError
        Something failed; an emulator that was started here is stopped again.
    """
    version = python_version()
    made = Record.load()
    with step("Deployer and emulator") as done:
        new = [toolchain.install_deployer(), toolchain.install_emulator()]
        toolchain.install_runtime()
        done("installed from the lock files" if any(new) else "current")
    train(data, made)
    with step("scikit-learn layer") as done:
        layer = build_layer(version, architecture(), root=ROOT, report=lambda line: None)
        done(
            f"{'current' if layer.reused else 'built'}, {layer.size / 1e6:.0f} MB zipped, "
            f"{layer.unzipped_size / 1e6:.0f} MB unzipped"
        )
    inputs = record.deployment_inputs(layer.sha256)
    with undone_on_failure(port) as started:
        current = get_emulator(port, started)
        stack = deployed_already(current, made, inputs)
        if stack:
            OUT.print("✓ What is deployed is current", markup=False)
        else:
            stack = deploy(current)
        predictions(stack)
        made = Record(record.model_inputs(), inputs, record.deployed(current))
    made.save()
    return stack


def main() -> int:
    """Run the script; see ``--help``."""
    options = arguments()
    python_version()
    port = chosen_port(options.port)
    stack = bring_up(port, options.data)
    other = "" if port == emulators.DEFAULT_PORT else f"AWS_ENDPOINT_URL={stack.emulator.url} "
    summary(
        stack,
        {
            "Logs of the function": f"{other}npx sls logs -f review --stage local",
            "Logs of LocalStack": _shown(emulators.log_path(port)),
            "Where it all stands": _shown(STACK_FILE),
            "Stop it": "./scripts/down",
        },
    )
    return 0


if __name__ == "__main__":
    run_main(main)

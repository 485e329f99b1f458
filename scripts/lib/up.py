"""Bring the whole API up on this machine: train, build, emulate, deploy, publish, predict."""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError

from scripts.lib import emulator as emulators
from scripts.lib import record, toolchain
from scripts.lib.console import OUT, run_main, step
from scripts.lib.emulator import Emulator
from scripts.lib.layer.build import build_layer
from scripts.lib.project import ROOT, ScriptError, architecture, python_version, tail
from scripts.lib.record import Record
from scripts.lib.served import Served, all_served
from scripts.lib.stack import STACK_FILE, Stack, ask, credentials, describe, serverless
from training.options import EXAMPLES, MODEL_NAME, make_command

SERVED_SECONDS = 30.0
"""How long a published model may take until the API answers with it."""


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/up",
        description="Train the models of the examples, start LocalStack, deploy the API to it with "
        "the Serverless Framework, publish the models of all endpoints that are in .local/model, "
        "and ask each endpoint for a prediction. Steps whose results are current are skipped. "
        "LocalStack keeps running until scripts/down.",
    )
    parser.add_argument(
        "--data",
        metavar="PATH|HUB_ID",
        help="reviews to train on: a csv, jsonl or parquet file, or a data set on the Hugging Face "
        "hub such as stanfordnlp/imdb (default: the project's sample)",
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
        raise ScriptError(f"{what} failed; see the messages above")


def running_emulator(port: int) -> Emulator | None:
    """Return the emulator that `up` can use; None if it has to start one."""
    found = emulators.find(port)
    if found and found.executor != "process":
        raise ScriptError(
            f"the LocalStack at port {port} has the executor {found.executor!r}, not 'process'; "
            "stop it, or choose another port with --port"
        )
    return found


def train(data: str | None, last: Record | None = None) -> None:
    """Train the models of the examples that have an endpoint, unless their inputs are unchanged.

    Parameters
    ----------
    data : str or None
        Reviews to train on; None for the sample.
    last : Record, optional
        What the last `up` made. If it matches, the training code is not even started, since that
        imports scikit-learn.
    """
    served = [one for one in all_served() if one.name in EXAMPLES]
    if data is None and last and last.models == record.model_inputs():
        names = ", ".join(one.name for one in served)
        OUT.print(f"✓ Models are current: {names}", markup=False)
        return
    for one in served:
        options = ["--data", data] if data and one.name == MODEL_NAME else []
        command = ["train", "--if-changed", "--name", one.name, "--output", str(one.folder)]
        training([*command, *options], f"training {one.name}")


def get_emulator(port: int, started: list[Emulator]) -> Emulator:
    """Return the running emulator, or start one and append it to `started`."""
    with step(f"LocalStack at port {port}") as done:
        current = running_emulator(port)
        if current:
            done(f"already running, as process {current.pid}")
        else:
            current = emulators.start(port)
            started.append(current)
            done(f"started as process {current.pid}, functions run as processes")
    if not emulators.has_namespaces(current):
        OUT.print("  Functions do not see the paths of AWS, which needs bubblewrap (see README).")
    return current


def deploy(current: Emulator) -> Stack:
    """Deploy the stack and publish the models to it."""
    with step("sls deploy --stage local") as done:
        serverless(["deploy"], stage="local", url=current.url)
        stack = describe(current)
        stack.save()
        done("deployed")
    publish(stack, stored())
    return stack


def stored() -> list[Served]:
    """Return the endpoints whose models are stored, and print which ones are not."""
    served = all_served()
    for one in served:
        if not one.is_stored:
            OUT.print(
                f"! There is no model {one.name} yet, so POST {one.path} answers 503. To train it: "
                f"{make_command(one.name)}; then ./scripts/up",
                markup=False,
            )
    return [one for one in served if one.is_stored]


def publish(stack: Stack, models: Iterable[Served]) -> None:
    """Publish stored models to a stack."""
    for one in models:
        command = ["publish", "--stage", "local", "--name", one.name, "--model", str(one.folder)]
        training(command, f"publishing {one.name}", stack.emulator.url)


def deployed_already(current: Emulator, last: Record, inputs: str) -> Stack | None:
    """Return the deployed stack if it is current, after publishing models that it does not serve.

    Parameters
    ----------
    current : Emulator
        The emulator to look in.
    last : Record
        What the last `up` made.
    inputs : str
        Digest of the inputs of a deployment now.

    Returns
    -------
    Stack or None
        None if the inputs or the deployed stack have changed.
    """
    if last.deployment != inputs or last.deployed != record.deployed(current):
        return None
    stack = describe(current)
    stack.save()
    models = stored()
    missing = [one for one in models if not serves(stack, one)]
    publish(stack, missing)
    # A function that has just been refused a model asks for one again after a second.
    deadline = time.monotonic() + SERVED_SECONDS
    while not all(serves(stack, one) for one in missing) and time.monotonic() < deadline:
        time.sleep(0.2)
    return stack


def serves(stack: Stack, model: Served) -> bool:
    """Return whether an endpoint answers with the model that is stored on this machine."""
    try:
        version: str = ask(stack, model.path, model.instances()[0])["model"]["version"]
    except ScriptError:  # for example, no model has been published
        return False
    return version.endswith(model.sha256[:8])


def predictions(stack: Stack) -> None:
    """Ask each endpoint whose model is stored, and print the predictions."""
    models = [one for one in all_served() if one.is_stored]
    with step("Predictions") as done:
        answers = [
            (instance, ask(stack, one.path, instance))
            for one in models
            for instance in one.instances()
        ]
        done("received")
    for instance, answer in answers:
        OUT.print(f"    {_short(instance)} → {_described(answer)}", markup=False)


def _short(instance: Mapping[str, Any]) -> str:
    """Return an instance in one line: a text in quotation marks, or the first fields of a table."""
    if len(instance) == 1:
        return f"“{next(iter(instance.values()))}”"
    fields = [f"{name}: {json.dumps(value)}" for name, value in instance.items()]
    return ", ".join(fields[:4]) + (", …" if len(fields) > 4 else "")


def _described(answer: Mapping[str, Any]) -> str:
    """Return a prediction, and how sure the model is of it, if it can tell."""
    predicted = answer["prediction"]
    probabilities = answer.get("probabilities") or {}
    if isinstance(predicted, str) and predicted in probabilities:
        return f"{predicted}  (probability {probabilities[predicted]:.2f})"
    return ", ".join(predicted) if isinstance(predicted, list) else str(predicted)


def summary(stack: Stack, hints: Mapping[str, str]) -> None:
    """Print the endpoint and its key, requests to paste, and `hints` by their titles."""
    requests = "\n".join(
        f"  curl -X POST {stack.endpoint}{one.path} \\\n"
        f"    -H 'x-api-key: {stack.api_key}' -H 'Content-Type: application/json' \\\n"
        f"    -d {shlex.quote(json.dumps(one.instances()[0], ensure_ascii=False))}\n"
        for one in all_served()
        if one.is_stored
    )
    lines = "".join(f"{title + ':':<24} {hint}\n" for title, hint in hints.items())
    OUT.print(
        f"\nThe API is up.\n\n  endpoint  {stack.endpoint}\n  API key   {stack.api_key}\n\n"
        f"Try it:\n\n{requests}\n{lines}",
        markup=False,
        end="",
    )


def refuse_second(port: int) -> None:
    """Raise `ScriptError` if a stack is running at another port: `down` could not stop both."""
    known = Stack.load()
    if known and known.emulator.port != port and emulators.find(known.emulator.port):
        raise ScriptError(
            f"scripts/up has a stack running at port {known.emulator.port}; use this port, or "
            "stop the stack with ./scripts/down first"
        )


def _shown(path: Path) -> str:
    return shlex.quote(os.path.relpath(path))


def chosen_port(option: int | None) -> int:
    """Return the port from ``--port`` or from the environment.

    Raises
    ------
    ScriptError
        The port is not valid, another program uses it, or a stack is running at another one.
    """
    port = emulators.default_port() if option is None else option
    if not 0 < port < 65536:
        raise ScriptError(f"port {port} is not valid; use a number from 1 to 65535")
    refuse_second(port)
    if not emulators.port_is_free(port) and running_emulator(port) is None:
        raise ScriptError(
            f"port {port} is used by another program; choose another with --port, "
            f"for example --port {emulators.free_port()}"
        )
    return port


@contextmanager
def stopped_on_failure(port: int) -> Iterator[list[Emulator]]:
    """Yield a list; if the context fails, stop the emulators that were added to it."""
    started: list[Emulator] = []
    try:
        try:
            yield started
        except BotoCoreError as exc:
            raise ScriptError(f"LocalStack at port {port} no longer answers: {exc}") from exc
    except BaseException as exc:
        log = emulators.log_path(port)
        for one in started:
            emulators.stop(one)
            STACK_FILE.unlink(missing_ok=True)
        if isinstance(exc, ScriptError) and started:
            raise ScriptError(
                f"{exc}\nLocalStack was stopped; the end of {_shown(log)}:\n{tail(log, 8)}"
            ) from exc
        raise


def bring_up(port: int, data: str | None = None) -> Stack:
    """Do whatever is not current, and return the stack after it has made predictions.

    Parameters
    ----------
    port : int
        LocalStack's port.
    data : str or None
        Reviews to train on; None for the sample.

    Raises
    ------
    ScriptError
        A step failed. If this started an emulator, it has been stopped.
    """
    version = python_version()
    last = Record.load()
    with step("Deployer and emulator") as done:
        new = [toolchain.install_deployer(), toolchain.install_emulator()]
        toolchain.install_runtime()
        done("installed from the lock files" if any(new) else "current")
    train(data, last)
    with step("scikit-learn layer") as done:
        layer = build_layer(version, architecture(), root=ROOT, report=lambda line: None)
        done(
            f"{'current' if layer.reused else 'built'}, {layer.size / 1e6:.0f} MB zipped, "
            f"{layer.unzipped_size / 1e6:.0f} MB unzipped"
        )
    inputs = record.deployment_inputs(layer.sha256)
    with stopped_on_failure(port) as started:
        current = get_emulator(port, started)
        stack = deployed_already(current, last, inputs)
        if stack:
            OUT.print("✓ Deployment is current", markup=False)
        else:
            stack = deploy(current)
        predictions(stack)
        last = Record(record.model_inputs(), inputs, record.deployed(current))
    last.save()
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
            "Function's log": f"{other}npx sls logs -f review --stage local",
            "LocalStack's log": _shown(emulators.log_path(port)),
            "Endpoint, key, bucket": _shown(STACK_FILE),
            "Stop": "./scripts/down",
        },
    )
    return 0


if __name__ == "__main__":
    run_main(main)

"""What a developer waits for: the emulator, a deployment, a changed handler, a new model."""

import time
from collections.abc import Callable
from typing import Any

from benchmarks import own
from benchmarks.options import Options
from benchmarks.section import Section, Table, paired_ratio, times
from benchmarks.subject import Subject
from scripts.lib import emulator as emulators
from scripts.lib.console import step
from scripts.lib.emulator import Emulator
from scripts.lib.project import ScriptError
from scripts.lib.stack import Stack, ask, describe, serverless

_CHANGED = """
_handler = handler


def handler(event, context):
    return {**_handler(event, context), "body": '{"prediction": "Changed"}'}
"""
_REVIEW = {"review_text": "I hate this movie"}
_SECONDS = 60
_BASE = "deploy to an empty emulator (`sls deploy`)"
_TEXT = """\
What a developer waits for. Each of the {rounds} rounds has a fresh emulator. A ratio is the median
over the rounds, relative to the first deployment. A changed handler is timed until it answers a
request. Publishing is `python -m training publish`, which spends most of its time on imports; a
running function looks for a new model every `MODEL_REFRESH_SECONDS` (1 s on `local`)."""


def measure(subject: Subject, options: Options) -> Section:
    """Run the section."""
    own.install()
    found: dict[str, list[float]] = {}
    for number in range(options.deploy_rounds):
        with step(f"Deploying, round {number + 1} of {options.deploy_rounds}"):
            for name, seconds in _round(subject).items():
                found.setdefault(name, []).append(seconds)
    rows = [
        [name, f"{sorted(seconds)[len(seconds) // 2]:.2f}", times(paired_ratio(seconds, base))]
        for base in [found[_BASE]]
        for name, seconds in found.items()
    ]
    return Section(
        "deploy",
        "Deployments and reloads",
        _TEXT.format(rounds=options.deploy_rounds),
        [Table(["what", "median s", "ratio"], rows)],
    )


def _round(subject: Subject) -> dict[str, float]:
    copy = own.copy_sources()
    seconds: dict[str, float] = {}

    def timed(name: str, do: Callable[[], object]) -> None:
        started = time.perf_counter()
        do()
        seconds[name] = time.perf_counter() - started

    started = time.perf_counter()
    with own.fresh_emulator() as emulator:
        seconds["start the emulator"] = time.perf_counter() - started
        timed(_BASE, lambda: _deploy(emulator))
        stack = describe(emulator)
        timed("publish a model", lambda: own.publish(subject.folder, emulator))
        timed(
            "the first prediction, from a cold start",
            lambda: _until(lambda: bool(_ask(stack)), "a first prediction"),
        )
        timed("deploy again, nothing changed", lambda: _deploy(emulator))
        handler = copy / "handlers" / "review" / "handler.py"
        handler.write_text(handler.read_text() + _CHANGED)

        def change() -> None:
            _deploy(emulator)
            _until(lambda: _ask(stack)["prediction"] == "Changed", "the changed words")

        timed("deploy a changed handler, until it answers", change)
        handler.write_text(handler.read_text().removesuffix(_CHANGED))
        _deploy(emulator)
        version = _version(stack)

        def replace() -> None:
            own.publish(subject.other, emulator)
            _until(lambda: _version(stack) != version, "the new model")

        timed("publish another model, until it answers", replace)
        started = time.perf_counter()
        emulators.stop(emulator)
    seconds["stop the emulator"] = time.perf_counter() - started
    return seconds


def _deploy(emulator: Emulator) -> None:
    serverless(["deploy"], stage="local", url=emulator.url, cwd=own.COPY)


def _version(stack: Stack) -> str:
    return str(_ask(stack)["model"]["version"])


def _ask(stack: Stack) -> dict[str, Any]:
    return ask(stack, "/review", _REVIEW)


def _until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise ScriptError(f"{what} did not arrive within {_SECONDS} s")
        time.sleep(0.02)

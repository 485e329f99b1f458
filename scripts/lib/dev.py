"""Run the API with the saved code, without deployments, until Ctrl-C."""

import argparse
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from scripts.lib import emulator as emulators
from scripts.lib.configuration import packages
from scripts.lib.console import ERR, OUT, run_main
from scripts.lib.live_code import Copies, LiveFunction
from scripts.lib.project import LOCAL, ROOT, ScriptError, python_version
from scripts.lib.stack import Stack, client
from scripts.lib.up import bring_up, chosen_port, summary
from training.account import SERVICE

FILES_SECONDS = 0.1  # how often files are checked for changes
EMULATOR_SECONDS = 2.0  # how often LocalStack is checked


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/dev",
        description="Bring the API up as scripts/up does, and then let it run the code that is "
        "saved: a change in handlers/ or sklearn_api/ is live with the next request, without a "
        "deployment. Ctrl-C gives the functions the deployed code back. A change of "
        "serverless.yml or of a function.yml still needs scripts/up.",
    )
    parser.add_argument(
        "--port",
        type=int,
        help="LocalStack's port on 127.0.0.1 (default: EMULATOR_PORT, or 4566)",
    )
    return parser.parse_args()


@contextmanager
def live(stack: Stack) -> Iterator[dict[str, Copies]]:
    """Let every function run a folder of copies; restore the deployed code at the end.

    Yields
    ------
    dict of str to Copies
        The copies, by the function's name.

    Raises
    ------
    ScriptError
        serverless.yml has functions that are not deployed, or LocalStack refused.
    """
    functions = client("lambda", stack.emulator.url)
    copies: dict[str, Copies] = {}
    with ExitStack() as undo:
        for name, patterns in packages(ROOT).items():
            copies[name] = Copies(ROOT, patterns, LOCAL / "dev" / name)
            copies[name].update()
            try:
                function = LiveFunction(
                    functions, f"{SERVICE}-{stack.stage}-{name}", stack.emulator
                )
                undo.callback(restore, function)
                function.run(copies[name].folder)
            except (ClientError, BotoCoreError, OSError) as exc:
                raise ScriptError(f"function {name} cannot run the saved code: {exc}") from exc
        yield copies


def restore(function: LiveFunction) -> None:
    """Give a function the deployed code back, or print why that failed."""
    try:
        function.restore()
        OUT.print(f"✓ {function.name}: runs the deployed code", markup=False)
    except (ClientError, BotoCoreError) as exc:
        ERR.print(f"! {function.name}: still runs the saved code: {exc}", markup=False)


def problem(file: Path) -> str | None:
    """Return why a file is not valid Python; None if it is."""
    try:
        compile(file.read_bytes(), file.name, "exec", dont_inherit=True)
    except FileNotFoundError:
        return None
    except (SyntaxError, ValueError) as exc:
        line = f"line {exc.lineno}: " if isinstance(exc, SyntaxError) else ""
        return f"{line}{exc.msg if isinstance(exc, SyntaxError) else exc}"
    return None


def report(changed: dict[str, list[str]]) -> None:
    """Print which files have changed, for which functions, and their syntax errors."""
    clock = time.strftime("%H:%M:%S")
    for path, names in changed.items():
        OUT.print(f"{clock}  {path} → {', '.join(names)}", markup=False)
        if path.endswith(".py") and (reason := problem(ROOT / path)):
            ERR.print(f"{clock}  {path} is not valid Python: {reason}", markup=False)


def watch(stack: Stack, copies: dict[str, Copies]) -> None:
    """Copy saved files until LocalStack stops.

    Raises
    ------
    ScriptError
        LocalStack no longer answers.
    """
    last = _configuration()
    checked = time.monotonic()
    while True:
        time.sleep(FILES_SECONDS)
        changed: dict[str, list[str]] = {}
        for name, one in copies.items():
            for path in one.update():
                changed.setdefault(path, []).append(name)
        report(changed)
        if time.monotonic() - checked < EMULATOR_SECONDS:
            continue
        checked = time.monotonic()
        now = _configuration()  # without a file that an editor is about to replace
        if changes := [name for name in now if now[name] != last.get(name)]:
            OUT.print(f"{', '.join(changes)} changed; to deploy it: ./scripts/up", markup=False)
        last |= now
        if emulators.find(stack.emulator.port) is None:
            raise ScriptError(f"LocalStack at port {stack.emulator.port} no longer answers")


def _configuration() -> dict[str, bytes]:
    """Return the contents of the files that only a deployment applies, by their names."""
    files = [ROOT / "serverless.yml", *(ROOT / "handlers").glob("**/*.yml")]
    return {file.relative_to(ROOT).as_posix(): file.read_bytes() for file in files if file.exists()}


def main() -> int:
    """Run the script; see ``--help``."""
    options = arguments()
    python_version()
    stack = bring_up(chosen_port(options.port))
    with live(stack) as copies:
        summary(
            stack,
            {
                "Now running": "the saved code in handlers/ and sklearn_api/",
                "Functions": ", ".join(copies),
                "Stop": "Ctrl-C, which restores the deployed code",
            },
        )
        watch(stack, copies)
    return 0


if __name__ == "__main__":
    run_main(main)

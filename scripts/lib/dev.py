"""Let the running API answer with what was saved a moment ago, until Ctrl-C."""

import argparse
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from scripts.lib import emulator as emulators
from scripts.lib.console import ERR, OUT, run_main
from scripts.lib.live_code import Copies, LiveFunction, packages
from scripts.lib.project import LOCAL, ROOT, ScriptError, python_version
from scripts.lib.stack import Stack, client
from scripts.lib.up import bring_up, chosen_port, summary
from training.account import SERVICE

LOOK_SECONDS = 0.1  # how often files are looked at
ALIVE_SECONDS = 2.0  # how often LocalStack is


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/dev",
        description="Bring the API up as scripts/up does, and then let it run what is saved: a "
        "change in handlers/ or sklearn_api/ answers the next request, without a deployment. "
        "Ctrl-C gives the functions back the code that was deployed. A change of serverless.yml "
        "still needs scripts/up.",
    )
    parser.add_argument(
        "--port",
        type=int,
        help="port of LocalStack on 127.0.0.1 (default: EMULATOR_PORT, or 4566)",
    )
    return parser.parse_args()


@contextmanager
def live(stack: Stack) -> Iterator[dict[str, Copies]]:
    """Let every function run a folder of copies; afterwards, what was deployed.

    Raises
    ------
    ScriptError
        serverless.yml has functions that are not deployed, or LocalStack refuses.
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
                raise ScriptError(f"function {name} cannot run what is saved: {exc}") from exc
        yield copies


def restore(function: LiveFunction) -> None:
    """Give a function back what was deployed, or say why not."""
    try:
        function.restore()
        OUT.print(f"✓ {function.name}: runs what was deployed", markup=False)
    except (ClientError, BotoCoreError) as exc:
        ERR.print(f"! {function.name} goes on with what was saved: {exc}", markup=False)


def problem(file: Path) -> str | None:
    """Return why a file is not Python, None where it is."""
    try:
        compile(file.read_bytes(), file.name, "exec", dont_inherit=True)
    except FileNotFoundError:
        return None
    except (SyntaxError, ValueError) as exc:
        line = f"line {exc.lineno}: " if isinstance(exc, SyntaxError) else ""
        return f"{line}{exc.msg if isinstance(exc, SyntaxError) else exc}"
    return None


def tell(changed: dict[str, list[str]]) -> None:
    """Print what was saved, which functions have it, and what is wrong with it."""
    clock = time.strftime("%H:%M:%S")
    for path, names in changed.items():
        OUT.print(f"{clock}  {path} → {', '.join(names)}", markup=False)
        if path.endswith(".py") and (reason := problem(ROOT / path)):
            ERR.print(f"{clock}  {path} is no Python: {reason}", markup=False)


def watch(stack: Stack, copies: dict[str, Copies]) -> None:
    """Copy what is saved, for as long as LocalStack runs.

    Raises
    ------
    ScriptError
        LocalStack has ended.
    """
    configuration = ROOT / "serverless.yml"
    read = configuration.read_bytes()
    asked = time.monotonic()
    while True:
        time.sleep(LOOK_SECONDS)
        changed: dict[str, list[str]] = {}
        for name, one in copies.items():
            for path in one.update():
                changed.setdefault(path, []).append(name)
        tell(changed)
        if time.monotonic() - asked < ALIVE_SECONDS:
            continue
        asked = time.monotonic()
        if configuration.exists() and (now := configuration.read_bytes()) != read:
            read = now
            OUT.print("serverless.yml has changed: ./scripts/up deploys it", markup=False)
        if emulators.find(stack.emulator.port) is None:
            raise ScriptError(f"LocalStack at port {stack.emulator.port} does not answer any more")


def main() -> int:
    """Run the script; see ``--help``."""
    options = arguments()
    python_version()
    stack = bring_up(chosen_port(options.port))
    with live(stack) as copies:
        summary(
            stack,
            {
                "Now running": "what is saved in handlers/ and sklearn_api/",
                "Functions": ", ".join(copies),
                "End": "Ctrl-C, which brings back what was deployed",
            },
        )
        watch(stack, copies)
    return 0


if __name__ == "__main__":
    run_main(main)

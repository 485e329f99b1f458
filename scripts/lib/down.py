"""Stop the LocalStack that scripts/up started, and no other."""

import argparse

from scripts.lib import emulator as emulators
from scripts.lib.console import OUT, run_main, step
from scripts.lib.stack import STACK_FILE, Stack


def main() -> int:
    """Run the script; see ``--help``."""
    argparse.ArgumentParser(
        prog="scripts/down",
        description="Stop the LocalStack that scripts/up started, and everything that runs in it. "
        "Models, layers and packages stay in .local, so that the next scripts/up is quick.",
    ).parse_args()
    stack = Stack.load()
    if stack is None:
        OUT.print("Nothing to stop: scripts/up has left nothing running.")
        return 0
    current = stack.emulator
    with step(f"LocalStack at port {current.port}") as done:
        if not emulators.started_by_up(current):
            done("was not started by scripts/up, and keeps running")
        elif emulators.stop(current):
            done(f"stopped (process {current.pid})")
        else:
            done("was no longer running")
    STACK_FILE.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    run_main(main)

"""The command line: ``python -m training <command>``."""

import argparse
import sys
from collections.abc import Sequence

from training.commands import importing, serving, train, versions
from training.errors import TrainingError
from training.terminal import Terminal


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Make a model, from data or from a fitted pipeline; publish it to a stage's S3 "
        "bucket; and choose which of the published versions the stage serves.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    train.add_command(commands)
    importing.add_command(commands)
    serving.add_commands(commands)
    versions.add_commands(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments, Terminal())
    except TrainingError as exc:
        # The errors of some libraries have several lines.
        print(f"error: {' '.join(str(exc).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped by Ctrl-C", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

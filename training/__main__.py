"""The command line: ``python -m training``, with a command."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from training.commands import versions
from training.errors import TrainingError
from training.terminal import Terminal

# Those of `training.recipes` and `training.search`, which take a second to import.
RECIPES = ("best", "article")
SEARCH_BACKENDS = ("loky", "dask")
DEFAULT_OUTPUT = Path(".local/model/review")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train a classifier of film reviews, publish it to a stage's S3 bucket, and "
        "choose which of the versions there is served.",
    )
    commands = parser.add_subparsers(dest="command", required=True)

    train = commands.add_parser(
        "train",
        help="train a model, measure it, and store it in a folder",
        description="Train a model on reviews with labels, measure it on reviews that it has not "
        "seen, and store artifact, manifest and a report to look at in a folder.",
    )
    train.add_argument(
        "--data",
        metavar="PATH|HUB_ID",
        help="csv, jsonl, json (each compressed too) or parquet file, or a data set of the Hugging "
        "Face hub such as stanfordnlp/imdb (default: the sample that comes with the project)",
    )
    train.add_argument("--revision", help="commit of a data set of the hub")
    train.add_argument("--text-column", help="found by its usual names if not given")
    train.add_argument("--label-column", help="found by its usual names if not given")
    train.add_argument(
        "--test-data",
        metavar="PATH|HUB_ID",
        help="measure on this file, or on the test split of this data set of the hub, instead of a "
        "part of the data; its columns have the same names",
    )
    train.add_argument(
        "--recipe",
        choices=RECIPES,
        help="best: n-grams of up to 4 words and a naive-Bayes support vector machine, for real "
        "data; article: single words and a support vector machine, all by default, for little data "
        "(default: best with --data, article for the sample)",
    )
    train.add_argument(
        "--search",
        action="store_true",
        help="first compare variants of the recipe by cross-validation, and use the best",
    )
    train.add_argument(
        "--search-backend",
        choices=SEARCH_BACKENDS,
        default=SEARCH_BACKENDS[0],
        help="where: loky, processes of this machine, or dask, the cluster whose scheduler is at "
        "DASK_SCHEDULER_ADDRESS (without: a cluster on this machine); default: %(default)s",
    )
    train.add_argument(
        "--test-size",
        type=float,
        default=0.2,
        help="share of the data to measure on, default: %(default)s",
    )
    train.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    train.add_argument(
        "--output", type=Path, default=DEFAULT_OUTPUT, help="folder, default: %(default)s"
    )
    train.add_argument(
        "--if-changed",
        action="store_true",
        help="do nothing when the folder holds the model that this would train",
    )
    train.set_defaults(run=_train)

    versions.add_commands(commands)
    return parser


def _train(arguments: argparse.Namespace, terminal: Terminal) -> None:
    if not 0 < arguments.test_size < 1:
        raise TrainingError(f"--test-size is {arguments.test_size}; it must be between 0 and 1")
    if not 0 <= arguments.seed < 2**32:
        raise TrainingError(f"--seed is {arguments.seed}; it must be between 0 and {2**32 - 1}")
    with terminal.step("Loading scikit-learn"):
        from training.train import Options, current, report_file, train
    options = Options(
        source=arguments.data,
        output=arguments.output,
        recipe=arguments.recipe,
        search=arguments.search,
        search_backend=arguments.search_backend,
        test_source=arguments.test_data,
        test_size=arguments.test_size,
        seed=arguments.seed,
        text_column=arguments.text_column,
        label_column=arguments.label_column,
        revision=arguments.revision,
    )
    if arguments.if_changed and (manifest := current(options)):
        terminal.say(
            f"✓ Model is current: trained on {manifest.training['source']}, "
            f"accuracy {manifest.metrics['accuracy']:.4f}"
        )
        return
    train(options, terminal)
    terminal.say(
        f"The model is in {arguments.output}, what it is worth in {report_file(arguments.output)}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments, Terminal())
    except TrainingError as exc:
        # Some libraries explain themselves in several lines.
        print(f"error: {' '.join(str(exc).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped by Ctrl-C", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

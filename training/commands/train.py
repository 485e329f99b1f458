"""The command train: fit a model, measure it, and store it in a folder."""

import argparse
from pathlib import Path

from training.data import LABEL_COLUMNS, TEXT_COLUMNS
from training.errors import TrainingError
from training.folder import report_file
from training.metrics import headline_text
from training.options import Options, RecipeName, SearchBackend
from training.terminal import Terminal


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to a parser, with its function as the default of `run`."""
    train = commands.add_parser(
        "train",
        help="train a model, measure it, and store it in a folder",
        description="Train a model on labelled reviews, measure it on reviews that it was not "
        "fitted on, and store the artifact, its manifest and an HTML report in a folder.",
    )
    train.add_argument(
        "--data",
        metavar="PATH|HUB_ID",
        default=Options.source,
        help="csv, tsv, jsonl, json (each may be compressed) or parquet file, or a data set on the "
        "Hugging Face hub such as stanfordnlp/imdb (default: the sample that comes with the "
        "project)",
    )
    train.add_argument("--revision", help="commit of a data set on the hub")
    train.add_argument("--text-column", help=f"default: the first of {', '.join(TEXT_COLUMNS)}")
    train.add_argument(
        "--target",
        "--label-column",
        metavar="COLUMN",
        help=f"the column to predict; default: the first of {', '.join(LABEL_COLUMNS)}",
    )
    train.add_argument(
        "--encoding",
        metavar="NAME",
        help="encoding of csv, tsv, jsonl and json files, such as cp1252 (Windows, Western Europe) "
        "or utf-16; default: UTF-8, or what the file's byte order mark says",
    )
    train.add_argument(
        "--separator",
        metavar="CHARACTER",
        help="what separates the fields of csv and tsv files: a character, or comma, semicolon, "
        "tab or bar; default: what the first rows show",
    )
    train.add_argument(
        "--drop-empty",
        action="store_true",
        help="leave out rows without a text or without a label, instead of refusing the file",
    )
    train.add_argument(
        "--test-data",
        metavar="PATH|HUB_ID",
        help="measure on this file, or on the test split of this data set on the hub, instead of "
        "a part of the data; its columns must have the same names",
    )
    train.add_argument(
        "--recipe",
        choices=[*map(str, RecipeName)],
        default=Options.recipe,
        help="best: n-grams of up to 4 words and a naive-Bayes support vector machine, for real "
        "data; article: single words and a support vector machine with scikit-learn's defaults, "
        "for little data; characters: like best, with n-grams of up to 3 characters, for languages "
        "without spaces between words (default: best with --data, article for the sample)",
    )
    train.add_argument(
        "--search",
        action="store_true",
        help="first compare variants of the recipe by cross-validation, then use the best one",
    )
    train.add_argument(
        "--search-backend",
        choices=[*map(str, SearchBackend)],
        default=Options.search_backend,
        help="loky: processes on this machine; dask: the cluster whose scheduler is at "
        "DASK_SCHEDULER_ADDRESS, or a cluster on this machine if that is not set; "
        "default: %(default)s",
    )
    train.add_argument(
        "--test-size",
        type=float,
        default=Options.test_size,
        help="share of the data to measure on, default: %(default)s",
    )
    train.add_argument("--seed", type=int, default=Options.seed, help="default: %(default)s")
    train.add_argument(
        "--output", type=Path, default=Options.output, help="folder, default: %(default)s"
    )
    train.add_argument(
        "--if-changed",
        action="store_true",
        help="do nothing if the folder already holds the model that this command would train",
    )
    train.set_defaults(run=_train)


def _train(arguments: argparse.Namespace, terminal: Terminal) -> None:
    if not 0 < arguments.test_size < 1:
        raise TrainingError(f"--test-size is {arguments.test_size}; it must be between 0 and 1")
    if not 0 <= arguments.seed < 2**32:
        raise TrainingError(f"--seed is {arguments.seed}; it must be between 0 and {2**32 - 1}")
    with terminal.step("Loading scikit-learn"):
        from training.train import current, train
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
        target=arguments.target,
        revision=arguments.revision,
        encoding=arguments.encoding,
        separator=arguments.separator,
        drop_empty=arguments.drop_empty,
    )
    if arguments.if_changed and (manifest := current(options)):
        terminal.print_line(
            f"✓ Model is current: trained on {manifest.training['source']}, "
            f"{headline_text(manifest.metrics)}"
        )
        return
    train(options, terminal)
    terminal.print_line(
        f"The model is in {options.output}; its report is {report_file(options.output)}"
    )

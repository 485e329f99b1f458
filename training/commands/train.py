"""The command train: fit a model, measure it, and store it in a folder."""

import argparse
from pathlib import Path

from sklearn_api.signature import CLASSIFICATIONS, REGRESSION
from training.commands.arguments import (
    add_file_format,
    add_parser,
    add_signature_options,
    columns,
    model_name,
    words,
)
from training.data import LABEL_COLUMNS, TEXT_COLUMNS
from training.errors import TrainingError
from training.metrics import headline_text
from training.next_steps import next_steps
from training.options import (
    EXAMPLES,
    MODEL_NAME,
    Options,
    RecipeName,
    SearchBackend,
    TableRecipeName,
    model_folder,
    stored_folder,
)
from training.terminal import Terminal


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to a parser, with its function as the default of `run`."""
    train = add_parser(
        commands,
        "train",
        "train a model on data, measure it, and store it in a folder",
        "Train a model on texts or on a table, measure it on rows that it was not fitted on, and "
        "store the artifact, its manifest and an HTML report in a folder.",
        "python -m training train\n"
        "python -m training train --name churn\n"
        "python -m training train --name tickets --data tickets.csv --target team\n"
        "python -m training train --name houses --data houses.csv --target price --leave-out id",
    )
    data = train.add_argument_group("data")
    data.add_argument(
        "--name",
        type=model_name,
        default=Options.name,
        help=f"name of the model; {' and '.join(EXAMPLES)} come with sample data; "
        "default: %(default)s",
    )
    data.add_argument(
        "--data",
        metavar="PATH|HUB_ID",
        default=Options.source,
        help="csv, tsv, jsonl, json (each may be compressed) or parquet file, or a data set on the "
        "Hugging Face hub such as stanfordnlp/imdb",
    )
    data.add_argument("--revision", help="commit of a data set on the hub")
    data.add_argument(
        "--target",
        "--label-column",
        metavar="COLUMN",
        help=f"what to predict; default: the first of {', '.join(LABEL_COLUMNS)}",
    )
    data.add_argument(
        "--text-column",
        metavar="COLUMN",
        help="predict from this text alone, not from a table; default: the first of "
        f"{', '.join(TEXT_COLUMNS)}",
    )
    data.add_argument(
        "--inputs",
        metavar="COLUMN,...",
        action="append",
        default=[],
        help="columns of a table to learn from, whatever they hold; default: all that are of use",
    )
    data.add_argument(
        "--leave-out",
        metavar="COLUMN,...",
        action="append",
        default=[],
        help="columns of a table that the model must not use, such as an id",
    )
    data.add_argument(
        "--task",
        choices=[*CLASSIFICATIONS, REGRESSION],
        help="default: what the target looks like",
    )
    data.add_argument(
        "--label-separator",
        metavar="CHARACTER",
        help="the target holds several labels that this separates, such as '|'",
    )
    add_file_format(data)
    data.add_argument(
        "--drop-empty",
        action="store_true",
        help="leave out rows without a text or without a target, instead of refusing the file",
    )
    data.add_argument(
        "--test-data",
        metavar="PATH|HUB_ID",
        help="measure on this file, or on the test split of this data set on the hub, instead of "
        "a part of the data; its columns must have the same names",
    )
    data.add_argument(
        "--test-size",
        type=float,
        default=Options.test_size,
        help="share of the data to measure on; default: %(default)s",
    )
    add_signature_options(train.add_argument_group("what clients send and see"))
    model = train.add_argument_group("the model")
    model.add_argument(
        "--recipe",
        choices=[*map(str, RecipeName), *map(str, TableRecipeName)],
        default=Options.recipe,
        help="for texts: best (n-grams of up to 4 words and a naive-Bayes support vector machine, "
        "for real data), article (single words and a support vector machine with scikit-learn's "
        "defaults, for little data), characters (like best, with n-grams of up to 3 characters, "
        "for languages without spaces between words); default: best, article for the sample. For "
        "tables: boosting, forest; default: what suits the number of rows",
    )
    model.add_argument(
        "--search",
        action="store_true",
        help="first compare variants of the recipe by cross-validation, then use the best one",
    )
    model.add_argument(
        "--search-backend",
        choices=[*map(str, SearchBackend)],
        default=Options.search_backend,
        help="loky: processes on this machine; dask: the cluster whose scheduler is at "
        "DASK_SCHEDULER_ADDRESS, or a cluster on this machine if that is not set; "
        "default: %(default)s",
    )
    model.add_argument("--seed", type=int, default=Options.seed, help="default: %(default)s")
    model.add_argument(
        "--output",
        type=Path,
        help=f"folder; default: {model_folder('NAME')}, such as {model_folder(MODEL_NAME)}",
    )
    model.add_argument(
        "--if-changed",
        action="store_true",
        help="do nothing if the folder already holds the model that this command would train",
    )
    train.set_defaults(run=_train)


def _train(arguments: argparse.Namespace, terminal: Terminal) -> None:
    options = _options(arguments)
    with terminal.step("Loading scikit-learn"):
        from training.train import current, train
    if arguments.if_changed and (manifest := current(options)):
        terminal.print_line(
            f"✓ Model {manifest.name} is current: trained on {manifest.training['source']}, "
            f"{headline_text(manifest.metrics)}"
        )
        return
    train(options, terminal)
    lines = next_steps(options.name, options.output)
    # A script that trains only what has changed goes on by itself.
    for line in lines[:1] if arguments.if_changed else lines:
        terminal.print_line(line)


def _options(arguments: argparse.Namespace) -> Options:
    """Return the options, checked as far as that is possible without the data."""
    if not 0 < arguments.test_size < 1:
        raise TrainingError(f"--test-size is {arguments.test_size}; it must be between 0 and 1")
    if not 0 <= arguments.seed < 2**32:
        raise TrainingError(f"--seed is {arguments.seed}; it must be between 0 and {2**32 - 1}")
    if arguments.data is None and arguments.name not in EXAMPLES:
        raise TrainingError(
            f"train --name {arguments.name} needs --data FILE: only {' and '.join(EXAMPLES)} come "
            "with sample data"
        )
    source, target = arguments.data, arguments.target
    if source is None and arguments.name != MODEL_NAME:
        example = EXAMPLES[arguments.name]
        source, target = str(example.data), target or example.target
    return Options(
        source=source,
        name=arguments.name,
        output=arguments.output or stored_folder(arguments.name),
        recipe=arguments.recipe,
        search=arguments.search,
        search_backend=arguments.search_backend,
        test_source=arguments.test_data,
        test_size=arguments.test_size,
        seed=arguments.seed,
        text_column=arguments.text_column,
        target=target,
        task=arguments.task,
        label_separator=arguments.label_separator,
        inputs=columns(arguments.inputs, "--inputs"),
        leave_out=columns(arguments.leave_out, "--leave-out"),
        labels=words(arguments.labels),
        integers=columns(arguments.integers, "--integers"),
        revision=arguments.revision,
        encoding=arguments.encoding,
        separator=arguments.separator,
        drop_empty=arguments.drop_empty,
    )

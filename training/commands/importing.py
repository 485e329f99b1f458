"""The command import: measure a pipeline that was fitted elsewhere, and store it in a folder."""

import argparse
from pathlib import Path

from training.commands.arguments import (
    add_file_format,
    add_parser,
    add_signature_options,
    columns,
    model_name,
    words,
)
from training.data import TEXT_COLUMNS
from training.importing.options import ImportOptions
from training.next_steps import next_steps
from training.options import model_folder, stored_folder
from training.terminal import Terminal


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to a parser, with its function as the default of `run`."""
    command = add_parser(
        commands,
        "import",
        "measure a pipeline that was fitted elsewhere, and store it in a folder",
        "Measure a fitted pipeline on rows that it was not fitted on, and store the artifact, its "
        "manifest and an HTML report in a folder. The rows also show what goes into the pipeline. "
        "A .skops file is read without running code. A .joblib or .pkl file is a pickle: reading "
        "it runs the code in it.",
        "python -m training import shop.model:pipeline --name churn --data held-out.csv "
        "--target churned\n"
        "python -m training import churn.skops --name churn --data held-out.csv --target churned\n"
        "python -m training import churn.joblib --trust-pickle --name churn --data held-out.csv "
        "--target churned",
    )
    command.add_argument(
        "source",
        metavar="SOURCE",
        help="module:object, a fitted pipeline or a function without arguments that returns one; "
        "or a .skops, .joblib, .pkl or .pickle file",
    )
    command.add_argument("--name", type=model_name, required=True, help="name of the model")
    command.add_argument(
        "--data",
        metavar="PATH|HUB_ID",
        required=True,
        help="rows that the pipeline was not fitted on: csv, tsv, jsonl, json (each may be "
        "compressed) or parquet file, or a data set on the Hugging Face hub",
    )
    command.add_argument("--revision", help="commit of a data set on the hub")
    command.add_argument(
        "--target",
        metavar="COLUMN",
        help="what is right for each row; without it, the pipeline is not measured",
    )
    command.add_argument(
        "--text-column",
        metavar="COLUMN",
        help="the input of a pipeline of texts; default: the only other column, or the first of "
        f"{', '.join(TEXT_COLUMNS)}",
    )
    command.add_argument(
        "--inputs",
        metavar="COLUMN,...",
        action="append",
        default=[],
        help="columns of a pipeline that was fitted on an array, in its order; default: all but "
        "the target. A pipeline that was fitted on a DataFrame knows its columns",
    )
    command.add_argument(
        "--label-separator",
        metavar="CHARACTER",
        help="the target holds several labels that this separates, such as '|'",
    )
    add_file_format(command)
    command.add_argument(
        "--drop-empty",
        action="store_true",
        help="leave out rows without a text or without a target, instead of refusing the file",
    )
    add_signature_options(command)
    command.add_argument(
        "--trust-pickle",
        action="store_true",
        help="read a pickle although that runs the code in it, with all your rights on this "
        "machine; only for files that you made, or whose maker you trust",
    )
    command.add_argument(
        "--own-code",
        metavar="NAME,...",
        action="append",
        default=[],
        help="full names of types and functions of your own that the pipeline contains, such as "
        "handlers.churn.steps.Shortener; the endpoint must declare the same names",
    )
    command.add_argument("--output", type=Path, help=f"folder; default: {model_folder('NAME')}")
    command.set_defaults(run=_import)


def _import(arguments: argparse.Namespace, terminal: Terminal) -> None:
    options = ImportOptions(
        source=arguments.source,
        name=arguments.name,
        output=arguments.output or stored_folder(arguments.name),
        data=arguments.data,
        target=arguments.target,
        text_column=arguments.text_column,
        label_separator=arguments.label_separator,
        revision=arguments.revision,
        encoding=arguments.encoding,
        separator=arguments.separator,
        drop_empty=arguments.drop_empty,
        labels=words(arguments.labels),
        integers=columns(arguments.integers, "--integers"),
        inputs=columns(arguments.inputs, "--inputs"),
        own_code=columns(arguments.own_code, "--own-code"),
        trust_pickle=arguments.trust_pickle,
    )
    with terminal.step("Loading scikit-learn"):
        from training.importing.store import import_model
    import_model(options, terminal)
    for line in next_steps(options.name, options.output):
        terminal.print_line(line)

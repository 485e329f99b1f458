"""The commands that look at the versions in a stage's bucket: list and show."""

import argparse
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from training.commands.arguments import add_parser, positive
from training.commands.stage import Place, add_model, add_name, add_stage
from training.errors import TrainingError
from training.options import MODEL_NAME
from training.terminal import Terminal

if TYPE_CHECKING:
    from training.registry import Registry

REPORTS = Path(".local/reports")


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to a parser, each with its function as the default of `run`."""
    listing = add_parser(
        commands,
        "list",
        "list the versions in a stage's bucket",
        "List the versions in a stage's bucket, newest first, and mark the ones that are served.",
        "python -m training list\npython -m training list --name churn --stage prod --limit 5",
    )
    add_name(listing, "name of a model; default: every model in the bucket", None)
    listing.add_argument(
        "--limit", type=positive, default=20, help="how many of each model; default: %(default)s"
    )
    add_stage(listing)
    listing.set_defaults(run=_list)

    show = add_parser(
        commands,
        "show",
        "show the details of a version",
        "Show how a version was made, what goes in and comes out, its metrics, and whether it is "
        "served.",
        "python -m training show\n"
        "python -m training show --name churn --open\n"
        "python -m training show 20261124T095016Z-52c29722 --stage prod",
    )
    show.add_argument("version", nargs="?", help="default: the version that is served")
    add_model(show)
    show.add_argument(
        "--open",
        action="store_true",
        help="download the version's report and open it in the browser",
    )
    add_stage(show)
    show.set_defaults(run=_show)


def _list(arguments: argparse.Namespace, terminal: Terminal) -> None:
    place = Place.of(arguments)
    registry = place.connect(arguments.name or MODEL_NAME).registry
    names = [arguments.name] if arguments.name else registry.models() or [MODEL_NAME]
    for name in names:
        _list_model(registry.of(name), place, arguments.limit, terminal)


def _list_model(registry: "Registry", place: Place, limit: int, terminal: Terminal) -> None:
    from training.tables import versions_table

    versions = registry.versions()
    if not versions:
        terminal.print_line(
            f"There is no version of {registry.name} in s3://{registry.bucket}; publish one with: "
            f"{registry.command('publish')}"
        )
        return
    terminal.print_line(f"Versions of {registry.name}, {place}")
    terminal.print_table(versions_table(registry, versions[:limit]))
    hidden = len(versions) - limit
    if hidden > 0:
        older = "1 older version" if hidden == 1 else f"{hidden} older versions"
        verb = "is" if hidden == 1 else "are"
        terminal.print_line(f"{older} of {registry.name} {verb} not shown (--limit)")


def _show(arguments: argparse.Namespace, terminal: Terminal) -> None:
    from training.tables import manifest_tables

    place = Place.of(arguments)
    registry = place.connect(arguments.name).registry
    found = registry.pointer()
    version = arguments.version or (found and found[0].version)
    if not version:
        raise TrainingError(
            f"s3://{registry.bucket} serves no version of {registry.name} yet; publish one with: "
            f"{registry.command('publish')}"
        )
    manifest = registry.manifest(version)
    for table in manifest_tables(manifest, found[0] if found else None):
        terminal.print_table(table)
    if arguments.open:
        _open(registry, version, terminal)


def _open(registry: "Registry", version: str, terminal: Terminal) -> None:
    """Download a version's report and open it; the path is the same every time."""
    files = registry.report(version)
    if "index.html" not in files:
        raise TrainingError(f"version {version} of {registry.name} was published without a report")
    folder = REPORTS / registry.name / version
    try:
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
    except OSError as exc:
        raise TrainingError(f"{exc.filename} cannot be written: {exc.strerror}") from exc
    index = folder / "index.html"
    opened = webbrowser.open(index.resolve().as_uri())
    terminal.print_line(
        f"The report is in {index}" + ("" if opened else "; no browser was found to open it")
    )

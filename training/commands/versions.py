"""The commands for versions in a stage's bucket: publish, list, show, rollback and promote."""

import argparse
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.errors import TrainingError
from training.folder import load, read_report
from training.options import MODEL_FOLDER, MODEL_NAME
from training.terminal import Terminal

if TYPE_CHECKING:
    from training.account import Target
    from training.registry import Registry

REPORTS = Path(".local/reports")


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to a parser, each with its function as the default of `run`."""
    publish = _add(
        commands,
        "publish",
        "publish a trained model to a stage and serve it",
        "Store a trained model as a new version in a stage's bucket, and serve it. Running Lambdas "
        "load it on their own. An interrupted publication does not change what is served; running "
        "the command again continues it.",
        "python -m training publish\npython -m training publish --stage prod",
    )
    publish.add_argument(
        "--model", type=Path, default=MODEL_FOLDER, help="folder, default: %(default)s"
    )
    publish.set_defaults(run=_publish)

    listing = _add(
        commands,
        "list",
        "list the versions in a stage's bucket",
        "List the versions in a stage's bucket, newest first, and mark the one that is served.",
        "python -m training list\npython -m training list --stage prod --limit 5",
    )
    listing.add_argument(
        "--limit", type=_positive, default=20, help="how many, default: %(default)s"
    )
    listing.set_defaults(run=_list)

    show = _add(
        commands,
        "show",
        "show the details of a version",
        "Show how a version was trained, its metrics, and whether it is served.",
        "python -m training show\n"
        "python -m training show 20261124T095016Z-52c29722 --stage prod\n"
        "python -m training show --open",
    )
    show.add_argument("version", nargs="?", help="default: the version that is served")
    show.add_argument(
        "--open",
        action="store_true",
        help="download the version's report and open it in the browser",
    )
    show.set_defaults(run=_show)

    rollback = _add(
        commands,
        "rollback",
        "go back to an earlier version",
        "Serve the version that was served before the current one, or the one named with --to. It "
        "is verified first. A second rollback undoes the first.",
        "python -m training rollback --stage prod\n"
        "python -m training rollback --stage prod --to 20261124T095016Z-52c29722",
    )
    rollback.add_argument(
        "--to", metavar="VERSION", help="default: the version served before the current one"
    )
    rollback.set_defaults(run=_rollback)

    promote = _add(
        commands,
        "promote",
        "copy a version from one stage to another and serve it there",
        "Copy a version from one stage's bucket to another's under the same name, verify it, and "
        "serve it there. Both stages are accessed with the same credentials.",
        "python -m training promote --from dev --to prod\n"
        "python -m training promote --from dev --to prod --version 20261124T095016Z-52c29722",
        stage=False,
    )
    promote.add_argument("--from", dest="source", metavar="STAGE", required=True)
    promote.add_argument("--to", dest="stage", metavar="STAGE", required=True)
    promote.add_argument("--version", help="default: the version that the first stage serves")
    promote.add_argument(
        "--region", help="of both stages; default: that of your AWS profile, or us-east-1"
    )
    promote.add_argument("--from-bucket", metavar="BUCKET", help=_BUCKET)
    promote.add_argument("--to-bucket", dest="bucket", metavar="BUCKET", help=_BUCKET)
    promote.set_defaults(run=_promote)


_BUCKET = (
    "default: the model bucket of the stage's stack. If you name a bucket, the model is not "
    "checked against the stack"
)


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    description: str,
    examples: str,
    *,
    stage: bool = True,
) -> argparse.ArgumentParser:
    indented = "".join(f"\n  {line}" for line in examples.split("\n"))
    command = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=f"examples:{indented}",
        formatter_class=_Formatter,
    )
    if stage:
        command.add_argument("--stage", default="local", help="default: %(default)s")
        command.add_argument("--region", help="default: that of your AWS profile, or us-east-1")
        command.add_argument("--bucket", help=_BUCKET)
    return command


class _Formatter(argparse.HelpFormatter):
    """Wraps descriptions, and keeps the lines of examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("examples:"):
            return text
        return super()._fill_text(text, width, indent)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _connect(
    stage: str, region: str | None, bucket: str | None, name: str = MODEL_NAME
) -> "tuple[Registry, Target]":
    from training.account import Account, Target
    from training.registry import Registry

    account = Account(stage, region)
    target = Target(bucket, stage) if bucket else account.target()
    return Registry(account.client("s3"), target.bucket, name), target


def _publish(arguments: argparse.Namespace, terminal: Terminal) -> None:
    from training.publish import publish
    from training.registry import Release

    manifest, content = load(arguments.model)
    registry, target = _connect(arguments.stage, arguments.region, arguments.bucket, manifest.name)
    target.check(manifest)
    release = Release(manifest, content, read_report(arguments.model))
    version, new = publish(registry, release, now=datetime.now(UTC), bar=terminal.progress)
    where = _where(arguments)
    if new:
        terminal.print_line(f"✓ Published to s3://{registry.bucket}: {where} serves {version}")
    else:
        terminal.print_line(f"✓ {where.capitalize()} already serves this model: {version}")


def _list(arguments: argparse.Namespace, terminal: Terminal) -> None:
    from training.tables import versions_table

    registry, _ = _connect(arguments.stage, arguments.region, arguments.bucket)
    versions = registry.versions()
    if not versions:
        terminal.print_line(
            f"There is no version of {registry.name} in s3://{registry.bucket}; publish one with: "
            f"python -m training publish --stage {arguments.stage}"
        )
        return
    terminal.print_table(versions_table(registry, versions[: arguments.limit]))
    hidden = len(versions) - arguments.limit
    if hidden > 0:
        older = "1 older version is" if hidden == 1 else f"{hidden} older versions are"
        terminal.print_line(f"{older} not shown (--limit)")


def _show(arguments: argparse.Namespace, terminal: Terminal) -> None:
    from training.tables import manifest_tables

    registry, _ = _connect(arguments.stage, arguments.region, arguments.bucket)
    found = registry.pointer()
    version = arguments.version or (found and found[0].version)
    if not version:
        raise TrainingError(
            f"s3://{registry.bucket} serves no version of {registry.name} yet; publish one with: "
            f"python -m training publish --stage {arguments.stage}"
        )
    manifest = registry.manifest(version)
    for table in manifest_tables(manifest, found[0] if found else None):
        terminal.print_table(table)
    if arguments.open:
        _open(registry, version, terminal)


def _open(registry: Any, version: str, terminal: Terminal) -> None:
    """Download a version's report and open it; the path is the same every time."""
    files = registry.report(version)
    if "index.html" not in files:
        raise TrainingError(f"version {version} was published without a report")
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


def _rollback(arguments: argparse.Namespace, terminal: Terminal) -> None:
    from training.publish import rollback

    registry, target = _connect(arguments.stage, arguments.region, arguments.bucket)
    version, new = rollback(
        registry, to=arguments.to, now=datetime.now(UTC), check=target.check, bar=terminal.progress
    )
    if new:
        terminal.print_line(f"✓ Rolled back: {_where(arguments)} serves {version}")
    else:
        terminal.print_line(
            f"✓ {_where(arguments).capitalize()} already serves this version: {version}"
        )


def _promote(arguments: argparse.Namespace, terminal: Terminal) -> None:
    from training.publish import promote

    source, _ = _connect(arguments.source, arguments.region, arguments.from_bucket)
    registry, target = _connect(arguments.stage, arguments.region, arguments.bucket)
    version, new = promote(
        source,
        registry,
        version=arguments.version,
        now=datetime.now(UTC),
        check=target.check,
        bar=terminal.progress,
    )
    if new:
        terminal.print_line(f"✓ Promoted: {_where(arguments)} serves {version}")
    else:
        terminal.print_line(
            f"✓ {_where(arguments).capitalize()} already serves this version: {version}"
        )


def _where(arguments: argparse.Namespace) -> str:
    """Return what serves a version, for a message."""
    return "the bucket" if arguments.bucket else f"stage {arguments.stage}"

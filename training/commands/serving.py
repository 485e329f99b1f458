"""The commands that change what a stage serves: publish, rollback and promote."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sklearn_api.errors import ArtifactError
from training.artifact.manifest import Manifest
from training.commands.arguments import add_parser
from training.commands.stage import BUCKET, REGION, Place, add_model, add_name, add_stage
from training.errors import TrainingError
from training.folder import load, read_report
from training.names import endpoint_folder
from training.options import MODEL_NAME, ROOT, model_folder, stored_folder
from training.terminal import Terminal

if TYPE_CHECKING:
    from training.account import Target


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to a parser, each with its function as the default of `run`."""
    publish = add_parser(
        commands,
        "publish",
        "publish a stored model to a stage and serve it",
        "Load a model as a Lambda does, store it as a new version in a stage's bucket, and serve "
        "it. Running Lambdas load it on their own. An interrupted publication does not change what "
        "is served; running the command again continues it.",
        "python -m training publish\npython -m training publish --name churn --stage prod",
    )
    add_name(
        publish,
        f"name of the model; default: {MODEL_NAME}, or the name of the model in --model",
        None,
    )
    publish.add_argument("--model", type=Path, help=f"folder; default: {model_folder('NAME')}")
    add_stage(publish)
    publish.set_defaults(run=_publish)

    rollback = add_parser(
        commands,
        "rollback",
        "go back to an earlier version",
        "Serve the version that was served before the current one, or the one named with --to. It "
        "is verified first. A second rollback undoes the first.",
        "python -m training rollback --stage prod\n"
        "python -m training rollback --name churn --stage prod --to 20261124T095016Z-52c29722",
    )
    add_model(rollback)
    rollback.add_argument(
        "--to", metavar="VERSION", help="default: the version served before the current one"
    )
    add_stage(rollback)
    rollback.set_defaults(run=_rollback)

    promote = add_parser(
        commands,
        "promote",
        "copy a version from one stage to another and serve it there",
        "Copy a version from one stage's bucket to another's under the same name, verify it, and "
        "serve it there. Both stages are accessed with the same credentials.",
        "python -m training promote --from dev --to prod\n"
        "python -m training promote --name churn --from dev --to prod "
        "--version 20261124T095016Z-52c29722",
    )
    add_model(promote)
    promote.add_argument("--from", dest="source", metavar="STAGE", required=True)
    promote.add_argument("--to", dest="stage", metavar="STAGE", required=True)
    promote.add_argument("--version", help="default: the version that the first stage serves")
    promote.add_argument("--region", help=f"of both stages; {REGION}")
    promote.add_argument("--from-bucket", metavar="BUCKET", help=BUCKET)
    promote.add_argument("--to-bucket", dest="bucket", metavar="BUCKET", help=BUCKET)
    promote.set_defaults(run=_promote)


def _publish(arguments: argparse.Namespace, terminal: Terminal) -> None:
    from training.publish import publish
    from training.registry import Release

    wanted = arguments.name or MODEL_NAME
    folder = arguments.model or stored_folder(wanted)
    manifest, content = load(folder, wanted)
    if arguments.name is None and arguments.model is not None:
        wanted = manifest.name
    if manifest.name != wanted:
        raise TrainingError(
            f"the model in {folder} is called {manifest.name}, not {wanted}: publish it with "
            f"--name {manifest.name} --model {folder}, or make it again with --name {wanted}"
        )
    with terminal.step("Loading the model as a Lambda does"):
        _verify(manifest, content, folder)
    place = Place.of(arguments)
    there = place.connect(wanted)
    there.target.check(manifest)
    release = Release(manifest, content, read_report(folder))
    version, new = publish(there.registry, release, now=datetime.now(UTC), bar=terminal.progress)
    if new:
        terminal.print_line(
            f"✓ Published {wanted} to s3://{there.registry.bucket}: {place} serves {wanted} "
            f"{version}"
        )
    else:
        _print_unchanged(terminal, place, wanted, version, "model")
    _warn_without_endpoint(terminal, place, there.target, wanted)


def _verify(manifest: Manifest, content: bytes, folder: Path) -> None:
    """Refuse an artifact that does not answer, however it came into its folder."""
    from training.artifact.verify import verify_stored

    try:
        verify_stored(content, own_code=manifest.training.get("own_code") or ())
    except ArtifactError as exc:
        raise TrainingError(f"{folder / 'model.zip'} is not published: {exc}") from exc


def _rollback(arguments: argparse.Namespace, terminal: Terminal) -> None:
    from training.publish import rollback

    name, place = arguments.name, Place.of(arguments)
    there = place.connect(name)
    version, new = rollback(
        there.registry,
        to=arguments.to,
        now=datetime.now(UTC),
        check=there.target.check,
        bar=terminal.progress,
    )
    if new:
        terminal.print_line(f"✓ Rolled back {name}: {place} serves {name} {version}")
    else:
        _print_unchanged(terminal, place, name, version, "version")


def _promote(arguments: argparse.Namespace, terminal: Terminal) -> None:
    from training.publish import promote

    name, place = arguments.name, Place.of(arguments)
    source = Place(arguments.source, arguments.region, arguments.from_bucket).connect(name)
    there = place.connect(name)
    version, new = promote(
        source.registry,
        there.registry,
        version=arguments.version,
        now=datetime.now(UTC),
        check=there.target.check,
        bar=terminal.progress,
    )
    if new:
        terminal.print_line(f"✓ Promoted {name}: {place} serves {name} {version}")
    else:
        _print_unchanged(terminal, place, name, version, "version")


def _warn_without_endpoint(terminal: Terminal, place: Place, target: "Target", name: str) -> None:
    """Warn if no function of the stage serves a model."""
    if target.models is None or name in target.models:
        return
    make = (
        ""
        if (ROOT / "handlers" / endpoint_folder(name)).is_dir()
        else f"./scripts/new {name}, then "
    )
    terminal.warn(
        f"{place} has no endpoint that serves {name}; make one with: {make}npx sls deploy --stage "
        f"{place.stage}"
    )


def _print_unchanged(terminal: Terminal, place: Place, name: str, version: str, what: str) -> None:
    where = str(place)
    terminal.print_line(
        f"✓ {where[0].upper()}{where[1:]} already serves this {what}: {name} {version}"
    )

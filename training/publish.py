"""Which version a stage serves: published, rolled back, promoted from another stage.

Each of them ends in one conditional write of the pointer, on top of the pointer that it has begun
with, and says whether anything changed.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime

from sklearn_api.store import Pointer
from training.artifact.manifest import Manifest
from training.errors import TrainingError
from training.registry import Progress, Registry, Release

Check = Callable[[Manifest], None]
Bar = Callable[[str, int], AbstractContextManager[Progress]]
"""Shows how a number of bytes is worked on, such as `Terminal.progress`."""


def publish(registry: Registry, release: Release, *, now: datetime, bar: Bar) -> tuple[str, bool]:
    """Publish a model, unless it is the one that is served already.

    Its version is named by when it was trained and by its content, so that an interrupted
    publication continues where it was, and a model that was served before gets its version back.

    Parameters
    ----------
    registry : Registry
        Where to.
    release : Release
        As training has left it, of no version yet.
    now : datetime
        When the pointer moves.
    bar : callable
        Shows the upload.

    Returns
    -------
    version : str
        That is served now.
    new : bool
        False when it was served before.

    Raises
    ------
    TrainingError
        Somebody else published meanwhile, the pointer is damaged, or S3 refused.
    """
    found = registry.pointer()
    if found and found[0].sha256 == release.manifest.sha256:
        return found[0].version, False
    manifest = replace(release.manifest, version=version_name(release.manifest))
    with bar("Uploading", release.size) as advance:
        registry.store(replace(release, manifest=manifest), advance)
    _serve(registry, manifest, found, now)
    return manifest.version, True


def rollback(
    registry: Registry, *, now: datetime, check: Check, bar: Bar, to: str | None = None
) -> tuple[str, bool]:
    """Serve an earlier version again, or any other that is there.

    Parameters
    ----------
    registry : Registry
        Where.
    now : datetime
        When the pointer moves.
    check : callable
        Raises for a model that the stage's Lambdas would refuse.
    bar : callable
        Shows the download.
    to : str, optional
        Of the versions; otherwise the one that was served before the current one. So a second
        rollback takes the first one back.

    Returns
    -------
    version : str
        That is served now.
    new : bool
        False when it was served before.

    Raises
    ------
    TrainingError
        There is no such version, it is damaged or does not fit, somebody else published meanwhile,
        or S3 refused.
    """
    found = registry.pointer()
    if found is None:
        raise TrainingError(f"s3://{registry.bucket} serves no version of {registry.name} yet")
    version = to or found[0].previous
    if version is None:
        raise TrainingError(
            f"no version was served before {found[0].version}; choose one with --to "
            "(`python -m training list` shows them)"
        )
    manifest = registry.manifest(version)
    check(manifest)
    with bar("Verifying", manifest.size) as advance:
        registry.artifact(manifest, advance)
    if found[0].version == version and found[0].sha256 == manifest.sha256:
        return version, False
    _serve(registry, manifest, found, now)
    return version, True


def promote(
    source: Registry,
    target: Registry,
    *,
    now: datetime,
    check: Check,
    bar: Bar,
    version: str | None = None,
) -> tuple[str, bool]:
    """Copy a version to another stage, under the same name, and serve it there.

    Parameters
    ----------
    source, target : Registry
        From where to where.
    now : datetime
        When the target's pointer moves.
    check : callable
        Raises for a model that the target's Lambdas would refuse.
    bar : callable
        Shows the copying.
    version : str, optional
        Otherwise the one that the source serves.

    Returns
    -------
    version : str
        That the target serves now.
    new : bool
        False when it was served there before.

    Raises
    ------
    TrainingError
        As `rollback`.
    """
    if version is None:
        served = source.pointer()
        if served is None:
            raise TrainingError(f"s3://{source.bucket} serves no version of {source.name} yet")
        version = served[0].version
    manifest = source.manifest(version)
    check(manifest)
    found = target.pointer()
    if found and (found[0].version, found[0].sha256) == (version, manifest.sha256):
        return version, False
    with bar("Downloading", manifest.size) as advance:
        release = Release(manifest, source.artifact(manifest, advance), source.report(version))
    with bar("Uploading", release.size) as advance:
        target.store(release, advance)
    with bar("Verifying", manifest.size) as advance:
        target.artifact(manifest, advance)
    _serve(target, manifest, found, now)
    return version, True


def version_name(manifest: Manifest) -> str:
    """Return the name of a model's version, such as ``20260102T030405Z-1f2e3d4c``.

    Names sort by the time when the model was trained.
    """
    try:
        created = datetime.fromisoformat(manifest.created).astimezone(UTC)
    except ValueError as exc:
        raise TrainingError(
            f"the manifest says that the model was created {manifest.created!r}, which is no time; "
            "train again"
        ) from exc
    return f"{created:%Y%m%dT%H%M%SZ}-{manifest.sha256[:8]}"


def _serve(
    registry: Registry, manifest: Manifest, found: tuple[Pointer, str] | None, now: datetime
) -> None:
    """Move the pointer from what was found to a version that is complete."""
    previous, expected = (found[0].version, found[1]) if found else (None, None)
    if previous == manifest.version and found:
        previous = found[0].previous  # such as a pointer that was mended
    published = now.astimezone(UTC).isoformat(timespec="seconds")
    registry.move(
        Pointer(manifest.name, manifest.version, manifest.sha256, published, previous), expected
    )

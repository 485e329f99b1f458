"""Changes the version that a stage serves: publish, roll back, promote from another stage.

Each of them ends in one conditional write of the pointer, which succeeds only if the pointer is
still the one that was read first, and returns whether anything changed.
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
"""Shows the progress of an amount of bytes, such as `Terminal.progress`."""


def publish(registry: Registry, release: Release, *, now: datetime, bar: Bar) -> tuple[str, bool]:
    """Publish a model and serve it, unless it is already served.

    The version's name depends only on the time of the training and on the content. So an
    interrupted publication is continued by the next one, and a model that was served before gets
    its version back.

    Parameters
    ----------
    registry : Registry
        The registry to publish to.
    release : Release
        A trained model, without a version.
    now : datetime
        The time of the publication, for the pointer.
    bar : callable
        Shows the progress of the upload.

    Returns
    -------
    version : str
        The version that is served now.
    new : bool
        False if it was already served.

    Raises
    ------
    TrainingError
        Someone else moved the pointer in the meantime, it is damaged, or S3 refused a request.
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
    """Serve an earlier version, or any other one in the bucket.

    Parameters
    ----------
    registry : Registry
        The registry with the versions.
    now : datetime
        The time of the rollback, for the pointer.
    check : callable
        Raises for a model that the stage's Lambdas would refuse.
    bar : callable
        Shows the progress of the download.
    to : str, optional
        The version to serve. Default: the one that was served before the current one, so a second
        rollback undoes the first.

    Returns
    -------
    version : str
        The version that is served now.
    new : bool
        False if it was already served.

    Raises
    ------
    TrainingError
        The version does not exist, is damaged or does not fit the stage, someone else moved the
        pointer in the meantime, or S3 refused a request.
    """
    found = registry.pointer()
    if found is None:
        raise TrainingError(f"s3://{registry.bucket} serves no version of {registry.name} yet")
    version = to or found[0].previous
    if version is None:
        raise TrainingError(
            f"no version of {registry.name} was served before {found[0].version}; choose one with "
            f"--to (`{registry.command('list')}` shows them)"
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
    """Copy a version to another stage under the same name, and serve it there.

    Parameters
    ----------
    source, target : Registry
        The registry to copy from, and the one to copy to.
    now : datetime
        The time of the promotion, for the target's pointer.
    check : callable
        Raises for a model that the target's Lambdas would refuse.
    bar : callable
        Shows the progress of downloads and uploads.
    version : str, optional
        The version to copy. Default: the one that the source serves.

    Returns
    -------
    version : str
        The version that the target serves now.
    new : bool
        False if the target already served it.

    Raises
    ------
    TrainingError
        For the same reasons as `rollback`.
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

    Names sort by the time of the training.
    """
    try:
        created = datetime.fromisoformat(manifest.created).astimezone(UTC)
    except ValueError as exc:
        raise TrainingError(
            f"the manifest gives {manifest.created!r} as the time of the training, which is not an "
            "ISO 8601 time; train again"
        ) from exc
    return f"{created:%Y%m%dT%H%M%SZ}-{manifest.sha256[:8]}"


def _serve(
    registry: Registry, manifest: Manifest, found: tuple[Pointer, str] | None, now: datetime
) -> None:
    """Move the pointer from the one that was read to a complete version."""
    previous, expected = (found[0].version, found[1]) if found else (None, None)
    if previous == manifest.version and found:
        previous = found[0].previous  # the pointer names it already, with another digest
    published = now.astimezone(UTC).isoformat(timespec="seconds")
    registry.move(
        Pointer(manifest.name, manifest.version, manifest.sha256, published, previous), expected
    )

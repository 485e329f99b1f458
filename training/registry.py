"""The versions of a model in a stage's bucket, and the pointer to the one that is served.

A version's artifact and report are written first, then its manifest, and then the pointer. So a
version with a manifest is complete, the publication of one without was interrupted, and readers see
the old model or the complete new one. Only the pointer is ever overwritten, and only by a writer
that knows its current content: all writes are conditional
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
"""

import hashlib
import io
import mimetypes
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from sklearn_api.errors import ArtifactError
from sklearn_api.store import Pointer, error_code, http_status, pointer_key, version_key
from training.artifact.manifest import Manifest
from training.errors import TrainingError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Release:
    """All files of one version.

    Attributes
    ----------
    manifest : Manifest
        Manifest, with the version's name.
    artifact : bytes
        The model.
    report : mapping
        Contents by path below `report/`; empty without a report.
    """

    manifest: Manifest
    artifact: bytes
    report: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Size of artifact and report in bytes."""
        return len(self.artifact) + sum(map(len, self.report.values()))


@dataclass(frozen=True)
class Version:
    """A version in the listing of the bucket.

    Attributes
    ----------
    name : str
        Name of the version.
    published : datetime or None
        When its manifest was written; None without a manifest: its publication was interrupted.
    size : int
        Size of its artifact in bytes.
    """

    name: str
    published: datetime | None = None
    size: int = 0


class Registry:
    """The versions of one model in one bucket. Every failure raises a `TrainingError`.

    Parameters
    ----------
    client : S3 client
        With permission to list, read and write objects.
    bucket, name : str
        The bucket, and the name of the model.
    options : str
        The options of the command line that lead to the bucket, for commands in messages.
    """

    def __init__(self, client: "S3Client", bucket: str, name: str, options: str = "") -> None:
        self._client = client
        self.bucket = bucket
        self.name = name
        self.options = options

    def of(self, name: str) -> "Registry":
        """Return the registry of another model in the same bucket."""
        return Registry(self._client, self.bucket, name, self.options)

    def command(self, command: str) -> str:
        """Return a command on this model in this bucket, for a message."""
        return f"python -m training {command} --name {self.name} {self.options}".rstrip()

    def models(self) -> list[str]:
        """Return the names of all models in the bucket, of which this one need not be any."""
        prefix = "models/"
        try:
            pages = self._client.get_paginator("list_objects_v2")
            found = pages.paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
            names = [one["Prefix"] for page in found for one in page.get("CommonPrefixes", [])]
        except (ClientError, BotoCoreError) as exc:
            raise self._failure(exc, prefix) from exc
        return sorted(name.removeprefix(prefix).removesuffix("/") for name in names)

    def pointer(self) -> tuple[Pointer, str] | None:
        """Return the pointer and its ETag; None if no version has been served yet."""
        key = pointer_key(self.name)
        found = self._get(key)
        if found is None:
            return None
        try:
            return Pointer.from_json(found[0], key), found[1]
        except ArtifactError as exc:
            raise TrainingError(
                f"s3://{self.bucket}: {exc}; delete it and publish {self.name} again"
            ) from exc

    def versions(self) -> list[Version]:
        """Return all versions, newest first, with interrupted ones at the end."""
        prefix = f"models/{self.name}/"
        found: dict[str, Version] = {}
        for item in self._list(prefix):
            name, slash, file = item["Key"].removeprefix(prefix).partition("/")
            version = found.get(name, Version(name))
            if file == "model.zip":
                version = replace(version, size=item["Size"])
            elif file == "manifest.json":
                version = replace(version, published=item["LastModified"])
            if slash:  # otherwise it is the pointer
                found[name] = version
        return sorted(
            found.values(),
            key=lambda version: (
                version.published.timestamp() if version.published else 0.0,
                version.name,
            ),
            reverse=True,
        )

    def manifest(self, version: str) -> Manifest:
        """Return the manifest of a version."""
        found = self._manifest(version)
        if found is None:
            raise TrainingError(
                f"s3://{self.bucket} has no version {version} of {self.name}; "
                f"`{self.command('list')}` shows its versions"
            )
        return found

    def artifact(self, manifest: Manifest, progress: Progress | None = None) -> bytes:
        """Download a version's artifact and verify it against its manifest."""
        key = version_key(self.name, manifest.version, "model.zip")
        found = self._get(key, progress)
        if found is None:
            raise TrainingError(
                f"version {manifest.version} of {self.name} is damaged: it has no model.zip"
            )
        actual = hashlib.sha256(found[0]).hexdigest()
        if actual != manifest.sha256:
            raise TrainingError(
                f"version {manifest.version} of {self.name} is damaged: the sha256 of its "
                f"model.zip is {actual}, but its manifest says {manifest.sha256}"
            )
        return found[0]

    def report(self, version: str) -> dict[str, bytes]:
        """Download the files of a version's report; empty without a report."""
        prefix = version_key(self.name, version, "report/")
        files: dict[str, bytes] = {}
        for item in self._list(prefix):
            path = item["Key"].removeprefix(prefix)
            if {"", ".", ".."} & set(path.split("/")) or "\\" in path:
                raise TrainingError(
                    f"the report of version {version} of {self.name} is damaged: {path!r} is "
                    "not a valid path"
                )
            found = self._get(item["Key"])
            if found:
                files[path] = found[0]
        return files

    def store(self, release: Release, progress: Progress | None = None) -> None:
        """Write a version, or the objects that an interrupted publication did not write."""
        manifest = release.manifest
        present = self._manifest(manifest.version)
        if present and present.to_json() == manifest.to_json():
            # It is complete: nothing is added to it.
            self.artifact(manifest)
            return
        self._put_once(manifest.version, "model.zip", release.artifact, progress)
        for path, content in release.report.items():
            self._put_once(manifest.version, f"report/{path}", content, progress)
        self._put_once(manifest.version, "manifest.json", manifest.to_json())

    def move(self, pointer: Pointer, expected: str | None) -> None:
        """Replace the pointer, unless someone else has replaced it in the meantime.

        Parameters
        ----------
        pointer : Pointer
            The new pointer.
        expected : str or None
            ETag of the current pointer, None if there is none yet.
        """
        key = pointer_key(self.name)
        condition = {"IfMatch": expected} if expected else {"IfNoneMatch": "*"}
        try:
            self._put(key, pointer.to_json(), **condition)
        except ClientError as exc:
            if not _is_conflict(exc):
                raise self._failure(exc, key) from exc
            found = self.pointer()
            if found and found[0] == pointer:
                return  # S3 accepted it, its answer was lost, and the client tried again.
            names = f"it now names {found[0].version}" if found else "it no longer exists"
            raise TrainingError(
                f"someone else changed s3://{self.bucket}/{key} in the meantime: {names}. Nothing "
                f"was overwritten, and {pointer.version} is not served; check "
                f"`{self.command('list')}`, then run the command again"
            ) from exc
        except BotoCoreError as exc:
            raise self._failure(exc, key) from exc

    def _manifest(self, version: str) -> Manifest | None:
        key = version_key(self.name, version, "manifest.json")
        found = self._get(key)
        if found is None:
            return None
        try:
            manifest = Manifest.from_json(found[0])
        except ArtifactError as exc:
            raise TrainingError(f"version {version} of {self.name} is damaged: {exc}") from exc
        if (manifest.name, manifest.version) != (self.name, version):
            raise TrainingError(
                f"version {version} of {self.name} is damaged: its manifest belongs to "
                f"{manifest.name} {manifest.version}"
            )
        return manifest

    def _list(self, prefix: str) -> Iterator[Any]:
        try:
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                yield from page.get("Contents", [])
        except (ClientError, BotoCoreError) as exc:
            raise self._failure(exc, prefix) from exc

    def _get(self, key: str, progress: Progress | None = None) -> tuple[bytes, str] | None:
        """Return an object and its ETag, None if it does not exist."""
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
            content = io.BytesIO()
            for chunk in answer["Body"].iter_chunks(256 * 1024):
                content.write(chunk)
                if progress:
                    progress(len(chunk))
            return content.getvalue(), answer["ETag"]
        except (ClientError, BotoCoreError) as exc:
            if error_code(exc) == "NoSuchKey":
                return None
            raise self._failure(exc, key) from exc

    def _put_once(
        self, version: str, file: str, content: bytes, progress: Progress | None = None
    ) -> None:
        """Write an object that never changes; it may already exist with the same content."""
        key = version_key(self.name, version, file)
        try:
            self._put(key, _Body(content, progress), IfNoneMatch="*")
        except (ClientError, BotoCoreError) as exc:
            if not _is_conflict(exc):
                raise self._failure(exc, key) from exc
            found = self._get(key)
            if found is None or found[0] != content:
                raise TrainingError(
                    f"s3://{self.bucket}/{key} already exists with other content, and a version "
                    "never changes; train again for a new version"
                ) from exc

    def _put(self, key: str, body: "bytes | _Body", **condition: str) -> None:
        kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
        self._client.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=body,  # type: ignore[arg-type]  # the stubs want a full IO object
            ContentType=kind,
            **condition,  # type: ignore[arg-type]  # IfMatch or IfNoneMatch
        )

    def _failure(self, exc: Exception, key: str) -> TrainingError:
        code = error_code(exc)
        if code == "NoSuchBucket":
            return TrainingError(f"bucket {self.bucket} does not exist; deploy the stage first")
        if code in ("AccessDenied", "403"):
            return TrainingError(f"access to s3://{self.bucket}/{key} is denied")
        return TrainingError(f"s3://{self.bucket}/{key} cannot be reached: {exc}")


class _Body:
    """A readable file of bytes that reports how much of it has been read.

    botocore reads it once for a checksum and once to send it, so it also reports seeking back.
    """

    def __init__(self, content: bytes, progress: Progress | None) -> None:
        self._file = io.BytesIO(content)
        self._size = len(content)
        self._progress = progress

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        if self._progress:
            self._progress(len(chunk))
        return chunk

    def seek(self, offset: int, whence: int = 0) -> int:
        before = self._file.tell()
        after = self._file.seek(offset, whence)
        if self._progress and after != before:
            self._progress(after - before)
        return after

    def tell(self) -> int:
        return self._file.tell()


def _is_conflict(exc: Exception) -> bool:
    """Return whether a conditional write was refused: 412, or 409 for simultaneous writes."""
    return http_status(exc) in (409, 412)

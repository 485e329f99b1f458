"""The registry on a real S3: concurrent and interrupted publications, and the commands."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.emulator import Emulator
from scripts.lib.project import ROOT
from scripts.lib.stack import client
from tests.helpers.releases import bar, release
from tests.helpers.waiting import wait_for
from tests.integration.deployed import (
    Api,
    Deployment,
    another_time,
    training,
    training_environment,
)
from tests.integration.proxy import proxy
from training.errors import TrainingError
from training.folder import load
from training.publish import publish, rollback
from training.registry import Registry

CURRENT = "models/review/current.json"


@pytest.fixture
def buckets(emulator: Emulator) -> Iterator[list[str]]:
    """Two versioned buckets, like those of two stages."""
    s3: Any = client("s3", emulator.url)
    names = [f"registry-{uuid.uuid4().hex[:12]}" for _ in range(2)]
    for name in names:
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    yield names
    for name in names:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                s3.delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])
        s3.delete_bucket(Bucket=name)


def registry(emulator: Emulator, bucket: str) -> Registry:
    """Return a registry with a client of its own."""
    return Registry(client("s3", emulator.url), bucket, "review")


def pointers(emulator: Emulator, bucket: str) -> list[dict[str, Any]]:
    """Return all contents of the pointer, oldest first, from the versions that S3 keeps."""
    s3: Any = client("s3", emulator.url)
    versions = s3.list_object_versions(Bucket=bucket, Prefix=CURRENT)["Versions"]
    found = [
        json.loads(
            s3.get_object(Bucket=bucket, Key=CURRENT, VersionId=one["VersionId"])["Body"].read()
        )
        for one in versions
    ]
    return found[::-1]


def test_of_concurrent_writers_the_losers_get_an_error(
    emulator: Emulator, buckets: list[str]
) -> None:
    """When many publish or roll back at once, each one whose pointer was overtaken gets an error.

    Each pointer in the bucket's history follows the one that its writer had read, and there are as
    many pointers as successes.
    """
    rounds, writers = 5, 6
    first, second = release(0), release(1)
    for one in (first, second):
        publish(registry(emulator, buckets[0]), one, now=datetime.now(UTC), bar=bar)
    told = 0

    def compete(number: int) -> bool:
        mine = registry(emulator, buckets[0])
        together.wait()
        try:
            if number % writers:
                return publish(mine, release(10 + number), now=datetime.now(UTC), bar=bar)[1]
            return rollback(mine, now=datetime.now(UTC), check=lambda manifest: None, bar=bar)[1]
        except TrainingError as exc:
            assert "in the meantime" in str(exc)
            return False

    for round_ in range(rounds):
        together = threading.Barrier(writers)
        before = len(pointers(emulator, buckets[0]))
        with ThreadPoolExecutor(writers) as pool:
            numbers = range(round_ * writers, (round_ + 1) * writers)
            won = sum(pool.map(compete, numbers))
        history = pointers(emulator, buckets[0])
        assert 1 <= won == len(history) - before
        told += writers - won
    assert told, "no two of them ever met"
    for earlier, later in itertools.pairwise(history):
        assert later["previous"] == earlier["version"]


KILLS = [("model.zip", 20_000), ("index.html", 1), ("manifest.json", 1), ("current.json", 1)]


@pytest.mark.parametrize(("file", "size"), KILLS)
def test_a_publication_that_is_killed_changes_nothing(
    api: Api,
    shared_deployment: Deployment,
    opposite_model: Path,
    tmp_path: Path,
    file: str,
    size: int,
) -> None:
    """After SIGKILL before, during or after any write, the old model serves, and publishing again works."""
    created = datetime(2030, 1, 1, 0, 0, KILLS.index((file, size)), tzinfo=UTC)
    model = another_time(opposite_model, tmp_path / "model", created)
    (model / "report").mkdir()
    (model / "report" / "index.html").write_bytes(b"<html>" + b"x" * 200_000)
    before = api.review("I love this movie").json()
    command = ["publish", "--stage", shared_deployment.stage, "--model", str(model)]
    with proxy(shared_deployment.emulator.port) as between:
        program = subprocess.Popen(
            [sys.executable, "-m", "training", *command],
            cwd=ROOT,
            env=training_environment(between.url),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

        def kill(kind: str, name: str, count: int) -> bool:
            if (kind, name) == ("PUT", file) and count >= size:
                os.kill(program.pid, signal.SIGKILL)
                return False
            return True

        between.on_bytes = kill
        output, _ = program.communicate(timeout=120)
    assert program.returncode == -signal.SIGKILL, output.decode()
    mine = registry(shared_deployment.emulator, api.stack.bucket)
    found = mine.pointer()
    assert found
    assert found[0].version == before["model"]["version"]
    assert api.review("I love this movie").json() == before

    assert "✓ Published" in shared_deployment.publish(model)
    wait_for(lambda: api.review("I love this movie").json()["label"] == 0, "the new model")
    training("rollback", "--stage", shared_deployment.stage, url=shared_deployment.emulator.url)
    wait_for(lambda: api.review("I love this movie").json() == before, "the old model")


def test_a_publication_killed_after_the_pointer_is_complete(
    emulator: Emulator, buckets: list[str], model: Path
) -> None:
    """If S3 has stored the pointer before SIGKILL, publishing again reports that it is served."""
    options = ["publish", "--bucket", buckets[0], "--model", str(model)]
    with proxy(emulator.port) as between:
        seen: list[str] = []

        def kill(kind: str, name: str, size: int) -> bool:
            seen.append(f"{kind} {name}")
            # The pointer is read first: that answer may pass.
            if kind == "answer" and "PUT current.json" in seen and name == "current.json":
                os.kill(program.pid, signal.SIGKILL)
                return False
            return True

        between.on_bytes = kill
        program = subprocess.Popen(
            [sys.executable, "-m", "training", *options],
            cwd=ROOT,
            env=training_environment(between.url),
        )
        assert program.wait(120) == -signal.SIGKILL
    assert "already serves this model" in training(*options, url=emulator.url)
    assert len(pointers(emulator, buckets[0])) == 1


def test_list_and_show_describe_versions(
    emulator: Emulator, buckets: list[str], model: Path, opposite_model: Path, tmp_path: Path
) -> None:
    """`list` and `show` print versions, accuracy, size and the served version in 80 columns."""
    there = ("--bucket", buckets[0])
    assert "There is no version of review" in training("list", *there, url=emulator.url)
    for folder in (model, opposite_model):
        training("publish", *there, "--model", str(folder), url=emulator.url)
    manifests = [load(folder)[0] for folder in (model, opposite_model)]
    listed = training("list", *there, url=emulator.url)
    rows = [line for line in listed.splitlines() if re.search(r"\b20\d{6}T", line)]
    assert len(rows) == 2
    assert rows[0].strip().startswith("●")
    for row, manifest in zip(rows, manifests[::-1], strict=True):
        assert manifest.sha256[:8] in row
        assert f"{manifest.metrics['accuracy']:.4f}" in row
        assert f"{manifest.training['rows']:,}" in row
    assert "1 older version of review is not shown" in training(
        "list", *there, "--limit", "1", url=emulator.url
    )
    shown = training("show", *there, url=emulator.url)
    for text in (manifests[1].sha256, "since 20", f"{manifests[1].metrics['accuracy']:.4f}"):
        assert text in shown
    first = rows[1].split()[0]
    assert "no (" in training("show", first, *there, url=emulator.url)
    assert max(map(len, (listed + shown).splitlines())) <= 80


def test_a_report_opens_in_the_browser(
    emulator: Emulator, buckets: list[str], model: Path, tmp_path: Path
) -> None:
    """`show --open` downloads the report of a version and opens it in the browser."""
    copy = another_time(model, tmp_path / "model", datetime(2030, 1, 1, tzinfo=UTC))
    (copy / "report").mkdir()
    (copy / "report" / "index.html").write_text("<html>How good it is")
    training("publish", "--bucket", buckets[0], "--model", str(copy), url=emulator.url)
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    output = training(
        "show", "--open", "--bucket", buckets[0], url=emulator.url, BROWSER=f"{browser} %s"
    )
    path = Path(opened.read_text().strip().removeprefix("file://"))
    assert path.read_text() == "<html>How good it is"
    assert path.relative_to(ROOT).as_posix() in output
    assert path.is_relative_to(ROOT / ".local")


def test_mistakes_are_one_sentence(
    emulator: Emulator, buckets: list[str], model: Path, tmp_path: Path
) -> None:
    """Each mistake ends with status 2 and a single line that says what to do."""
    bare = another_time(model, tmp_path / "model", datetime(2030, 1, 1, tzinfo=UTC))
    training("publish", "--bucket", buckets[0], "--model", str(bare), url=emulator.url)
    for arguments, message in (
        (["show", "typo", "--bucket", buckets[0]], "has no version typo of review"),
        (["show", "--open", "--bucket", buckets[0]], "was published without a report"),
        (["show", "--bucket", buckets[1]], "serves no version of review yet"),
        (["rollback", "--bucket", buckets[0]], "no version of review was served before"),
        (["rollback", "--bucket", buckets[0], "--to", "typo"], "has no version typo"),
        (["list", "--bucket", "no-such-bucket-here"], "bucket no-such-bucket-here does not exist"),
        (["list", "--stage", "nowhere"], "stage nowhere is not deployed"),
    ):
        result = subprocess.run(
            [sys.executable, "-m", "training", *arguments],
            cwd=ROOT,
            env=training_environment(emulator.url),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 2, result.stdout
        assert result.stderr.startswith("error: ")
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_promotion_between_stages(
    api: Api, shared_deployment: Deployment, deployment: Deployment, model: Path
) -> None:
    """`promote` copies a version to another stage, which serves it under the same name."""
    other = deployment.deploy()
    assert other.review("fine").status == 503
    stages = ("--from", shared_deployment.stage, "--to", deployment.stage)
    assert "✓ Promoted" in training("promote", *stages, url=deployment.emulator.url)
    wait_for(lambda: other.review("fine").status == 200, "the promoted model")
    assert other.review("fine").json() == api.review("fine").json()
    again = training("promote", *stages, url=deployment.emulator.url)
    assert "already serves this version" in again
    health = wait_for(
        lambda: other.health()["models"]["review"]["version"],
        "the model in health",
    )
    assert health == api.review("fine").json()["model"]["version"]


def test_promotion_refuses_a_damaged_artifact(
    emulator: Emulator, buckets: list[str], model: Path
) -> None:
    """An artifact that does not match its manifest is not copied to another bucket."""
    training("publish", "--bucket", buckets[0], "--model", str(model), url=emulator.url)
    manifest, _ = load(model)
    mine = registry(emulator, buckets[0])
    (version,) = mine.versions()
    s3: Any = client("s3", emulator.url)
    s3.put_object(Bucket=buckets[0], Key=f"models/review/{version.name}/model.zip", Body=b"rotten")
    with pytest.raises(AssertionError, match="is damaged: the sha256"):
        training(
            *("promote", "--from", "a", "--to", "b"),
            *("--from-bucket", buckets[0], "--to-bucket", buckets[1]),
            url=emulator.url,
        )
    assert registry(emulator, buckets[1]).versions() == []
    assert replace(manifest, version=version.name) == mine.manifest(version.name)

"""A warm Lambda replaces its model under load, and keeps it whichever way S3 fails."""

import itertools
import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.stack import client
from sklearn_api.current import PATIENCE_SECONDS
from sklearn_api.load import load_model
from sklearn_api.utils import convert_prediction
from tests.helpers.releases import bar
from tests.helpers.waiting import wait_for
from tests.integration.deployed import REFRESH_SECONDS, Answer, Api, Deployment
from tests.integration.proxy import Proxy, proxy
from training.folder import load
from training.publish import publish, rollback
from training.registry import Registry, Release

CURRENT = "models/review/current.json"
TEXTS = ["I love this movie", "I hate this movie", "fine", "What a waste of time", "So moving!"]
SECONDS = 20
LATE_SECONDS = REFRESH_SECONDS + PATIENCE_SECONDS


@dataclass(frozen=True)
class Asked:
    """One request under load, and its answer."""

    started: float
    ended: float
    text: str
    answer: Answer


@dataclass(frozen=True)
class Moved:
    """One move of the pointer, which happened between two times."""

    started: float
    ended: float
    version: str


def expected(release: Release) -> dict[str, dict[str, Any]]:
    """Return the answer of a model to each text, without the version."""
    model = load_model(release.artifact, 2**30)
    words = [label.word for label in model.signature.labels]
    return {
        text: {
            "prediction": convert_prediction(found.value),
            "label": found.value,
            "score": found.score,
            "probability": found.probability,
            "probabilities": found.probabilities
            and dict(zip(words, found.probabilities, strict=True)),
        }
        for text, found in zip(TEXTS, model.predict(TEXTS), strict=True)
    }


@contextmanager
def traffic(api: Api, threads: int) -> Iterator[list[Asked]]:
    """Request predictions from many threads, each with one request at a time."""
    asked: list[Asked] = []
    over = threading.Event()

    def ask() -> None:
        for text in itertools.cycle(TEXTS):
            if over.is_set():
                return
            start = time.monotonic()
            answer = api.review(text)
            asked.append(Asked(start, time.monotonic(), text, answer))

    running = [threading.Thread(target=ask) for _ in range(threads)]
    for one in running:
        one.start()
    try:
        yield asked
    finally:
        over.set()
        for one in running:
            one.join()


def last_named(moves: list[Moved], version: str, before: float) -> float:
    """Return when the pointer last named a version, up to the time `before`."""
    times = [
        min(after.ended, before)
        for move, after in itertools.pairwise([*moves, Moved(before, before, "")])
        if move.version == version and move.started <= before
    ]
    assert times, f"{version} was answered before it was published"
    return max(times)


def is_subsequence(some: list[str], all_: list[str]) -> bool:
    """Return whether `some` is a subsequence of `all_`."""
    rest = iter(all_)
    return all(one in rest for one in some)


def test_models_are_replaced_under_load(
    api: Api, shared_deployment: Deployment, model: Path, opposite_model: Path, tmp_path: Path
) -> None:
    """While models are published and rolled back every second, every answer is right.

    Every answer is 200 and equals, to the last digit, the prediction of the version that it names.
    The pointer named that version no longer than a refresh ago. Each Lambda serves a subsequence of
    the versions that the pointer has named.
    """
    s3: Any = client("s3", api.stack.emulator.url)
    registry = Registry(s3, api.stack.bucket, "review")
    contents = [Release(*load(folder)) for folder in (model, opposite_model)]
    answers = {one.manifest.sha256: expected(one) for one in contents}
    assert all(
        answers[contents[0].manifest.sha256][text]["score"]
        != answers[contents[1].manifest.sha256][text]["score"]
        for text in TEXTS
    )
    moves: list[Moved] = []
    first = registry.pointer()
    assert first
    content_of = {first[0].version: first[0].sha256}
    moves.append(Moved(0.0, 0.0, first[0].version))
    health = []
    started = int(time.time() * 1000)
    with traffic(api, 4) as asked:
        deadline = time.monotonic() + SECONDS
        for number in itertools.count():
            if time.monotonic() > deadline:
                break
            start = time.monotonic()
            if number % 3 == 2:
                version, new = rollback(
                    registry, now=datetime.now(UTC), check=lambda manifest: None, bar=bar
                )
            else:
                served = content_of[moves[-1].version]
                release = next(one for one in contents if one.manifest.sha256 != served)
                created = datetime(2031, 1, 1, 0, number // 60, number % 60, tzinfo=UTC)
                manifest = replace(release.manifest, created=created.isoformat())
                version, new = publish(
                    registry,
                    replace(release, manifest=manifest),
                    now=datetime.now(UTC),
                    bar=bar,
                )
                content_of[version] = release.manifest.sha256
            assert new
            moves.append(Moved(start, time.monotonic(), version))
            health.append(api.request("GET", "/health", accept="application/json"))
            time.sleep(max(0.0, start + 1 - time.monotonic()))
    wait_for(
        lambda: (
            {api.review("fine").json()["model"]["version"] for _ in range(8)} == {moves[-1].version}
        ),
        "the last version everywhere",
    )

    assert len(asked) > 100
    assert len(moves) > SECONDS / 2
    assert {one.answer.status for one in asked} == {200}
    assert {(one.status, one.json()["status"]) for one in health} == {(200, "healthy")}
    for one in asked:
        found = one.answer.json()
        version = found.pop("model")["version"]
        assert found == answers[content_of[version]][one.text]
        assert one.started - last_named(moves, version, one.ended) < LATE_SECONDS

    def logged() -> dict[str, list[str]] | None:
        found = versions_by_environment(api, since=started)
        return found if sum(map(len, found.values())) >= len(asked) else None

    seen = wait_for(logged, "a line of the log for each request")
    history = [move.version for move in moves]
    changes = 0
    for versions in seen.values():
        gone_through = [version for version, _ in itertools.groupby(versions)]
        changes += len(gone_through) - 1
        assert is_subsequence(gone_through, history)
    assert changes, "no Lambda ever changed its model"


def versions_by_environment(api: Api, since: int) -> dict[str, list[str]]:
    """Return the versions that each Lambda has served, in order, from its log stream."""
    logs: Any = client("logs", api.stack.emulator.url)
    group = f"/aws/lambda/sklearn-api-{api.stack.stage}-review"
    found = defaultdict(list)
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since)
    for page in pages:
        for event in page["events"]:
            if event["message"].startswith("{") and '"model_version"' in event["message"]:
                version = json.loads(event["message"])["model_version"]
                found[event["logStreamName"]].append(version)
    return found


@pytest.fixture
def between(shared_deployment: Deployment, api: Api) -> Iterator[Proxy]:
    """A proxy between the Lambdas of the shared stage and S3."""
    functions: Any = client("lambda", api.stack.emulator.url)
    names = [f"sklearn-api-{api.stack.stage}-{name}" for name in ("review", "health")]

    def lead(through: str | None) -> None:
        for name in names:
            found = functions.get_function_configuration(FunctionName=name)["Environment"]
            variables = {k: v for k, v in found["Variables"].items() if k != "AWS_ENDPOINT_URL_S3"}
            if through:
                variables["AWS_ENDPOINT_URL_S3"] = through
            functions.update_function_configuration(
                FunctionName=name, Environment={"Variables": variables}
            )
            functions.get_waiter("function_updated_v2").wait(
                FunctionName=name, WaiterConfig={"Delay": 1}
            )

    asked = threading.Event()
    with proxy(shared_deployment.emulator.port) as made:

        def note(kind: str, name: str, size: int) -> bool:
            asked.set()
            return True

        made.on_bytes = note
        lead(made.url)
        try:
            wait_for(lambda: api.review("fine").status == 200 and asked.is_set(), "the proxy")
            wait_for(lambda: api.health()["status"] == "healthy", "a healthy start")
            yield made
        finally:
            made.open.set()
            made.refuse.clear()
            lead(None)


def warnings(api: Api, reason: str) -> int:
    """Return how often `review` has logged a reason."""
    lines = [line for line in api.logs("review") if "model not refreshed" in line]
    return sum(reason in line for line in lines)


@pytest.mark.parametrize(
    ("how", "reason"),
    [("down", "cannot be reached"), ("slow", "no answer from S3 within 2 seconds")],
)
def test_s3_that_fails_keeps_the_last_good_model(
    api: Api, between: Proxy, how: str, reason: str
) -> None:
    """While S3 is down or slow, `review` answers as before, and health reports the reason."""
    before = api.review("fine").json()
    if how == "down":
        between.refuse.set()
    else:
        between.open.clear()
    degraded = wait_for(
        lambda: found if "detail" in (found := api.health())["models"]["review"] else None,
        "health's word",
    )
    assert degraded["status"] == "degraded"
    assert reason in degraded["models"]["review"]["detail"]
    assert degraded["models"]["review"]["version"] == before["model"]["version"]
    for _ in range(5):
        answer = api.review("fine")
        assert (answer.status, answer.json()) == (200, before)
        time.sleep(REFRESH_SECONDS)
    wait_for(lambda: warnings(api, reason), "the log")
    assert warnings(api, reason) == 1, "told once"
    between.open.set()
    between.refuse.clear()
    wait_for(lambda: api.health()["status"] == "healthy", "health again")
    assert api.review("fine").json() == before


@pytest.mark.parametrize("how", ["no pointer", "pointer gone", "artifact gone", "artifact bad"])
def test_what_is_broken_in_s3_shows_in_health(api: Api, how: str) -> None:
    """With a damaged pointer or artifact the old model keeps serving, and health reports the reason."""
    s3: Any = client("s3", api.stack.emulator.url)
    there = {"Bucket": api.stack.bucket, "Key": CURRENT}
    good = s3.get_object(**there)["Body"].read()
    version = f"broken-{how.replace(' ', '-')}"
    before = api.review("fine").json()
    wait_for(lambda: api.health()["status"] == "healthy", "a healthy start")
    if how == "no pointer":
        s3.put_object(**there, Body=b"{")
        reason = "is not a valid pointer"
    elif how == "pointer gone":
        s3.delete_object(**there)
        reason = "current.json does not exist"
    else:
        if how == "artifact bad":
            key = f"models/review/{version}/model.zip"
            s3.put_object(Bucket=api.stack.bucket, Key=key, Body=b"no model")
        pointer = {**json.loads(good), "version": version, "sha256": "0" * 64}
        s3.put_object(**there, Body=json.dumps(pointer).encode())
        reason = version
    try:
        degraded = wait_for(
            lambda: found if "detail" in (found := api.health())["models"]["review"] else None,
            "health's word",
        )
        assert degraded["status"] == "degraded"
        assert reason in degraded["models"]["review"]["detail"]
        assert degraded["models"]["review"]["version"] == before["model"]["version"]
        assert "detail" not in degraded["models"]["churn"]
        wait_for(lambda: api.review("fine") and warnings(api, reason), "the log")
        for _ in range(3):
            answer = api.review("fine")
            assert (answer.status, answer.json()) == (200, before)
            time.sleep(REFRESH_SECONDS)
    finally:
        s3.put_object(**there, Body=good)
    wait_for(lambda: api.health()["status"] == "healthy", "health again")

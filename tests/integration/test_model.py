"""The model's life: absent, published, replaced while it is served, broken."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.stack import client
from tests.integration.deployed import Api, Deployment
from tests.waiting import wait_for


def prediction(api: Api) -> str:
    answer = api.review("I love this movie")
    assert answer.status == 200, answer.text
    return str(answer.json()["prediction"])


def test_a_new_model_is_served_without_a_deployment(
    api: Api, shared_deployment: Deployment, model: Path, opposite_model: Path
) -> None:
    """A model that is uploaded while the Lambda is warm answers soon; so does the old one again."""
    assert prediction(api) == "Positive Review"
    shared_deployment.publish(opposite_model)
    wait_for(lambda: prediction(api) == "Negative Review", "the new model")
    shared_deployment.publish(model)
    wait_for(lambda: prediction(api) == "Positive Review", "the first model again")


def test_a_damaged_model_does_not_replace_a_good_one(
    api: Api, shared_deployment: Deployment, model: Path
) -> None:
    """A pointer to an artifact that is not what it promises is logged, and the old model serves."""
    s3: Any = client("s3", api.stack.emulator.url)
    bucket = api.stack.bucket
    before = api.review("fine").json()["model"]["version"]
    good = s3.get_object(Bucket=bucket, Key="models/review/current.json")["Body"].read()
    bad = {**json.loads(good), "version": "damaged", "sha256": "0" * 64}
    s3.put_object(Bucket=bucket, Key="models/review/damaged/model.zip", Body=b"no model")
    s3.put_object(Bucket=bucket, Key="models/review/current.json", Body=json.dumps(bad).encode())
    try:
        wait_for(
            lambda: (
                api.review("fine").status == 200
                and any("model not refreshed" in line for line in api.logs("review"))
            ),
            "the warning in the log",
        )
        assert api.review("fine").json()["model"]["version"] == before
        assert "sha256" in "".join(api.logs("review"))
    finally:
        s3.put_object(Bucket=bucket, Key="models/review/current.json", Body=good)


def test_a_model_of_another_python_is_not_published(
    shared_deployment: Deployment, model: Path, tmp_path: Path
) -> None:
    """A model that the stage's Lambdas would refuse is refused by `publish`, naming both Pythons."""
    manifest = json.loads((model / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "python": "3.10"}))
    (tmp_path / "model.zip").write_bytes((model / "model.zip").read_bytes())
    with pytest.raises(AssertionError, match=r"trained with Python 3\.10, stage .* runs python3"):
        shared_deployment.publish(tmp_path)


def test_publishing_the_same_model_again_changes_nothing(
    api: Api, shared_deployment: Deployment, model: Path
) -> None:
    """A second publication of the same artifact says that it is served already."""
    before = api.review("fine").json()["model"]["version"]
    output = shared_deployment.publish(model)
    assert before in output
    assert api.review("fine").json()["model"]["version"] == before

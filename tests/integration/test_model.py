"""The life of a model: published, replaced while it serves, refused, damaged."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.stack import client
from tests.helpers.waiting import wait_for
from tests.integration.deployed import Api, Deployment


def prediction(api: Api) -> str:
    answer = api.review("I love this movie")
    assert answer.status == 200, answer.text
    return str(answer.json()["prediction"])


def reported(api: Api, report: re.Pattern[str]) -> str | None:
    """Return a value from one of review's REPORT lines, None if there is none yet."""
    found = report.search("".join(api.logs("review")))
    return found and found[1]


def test_either_form_serves_and_the_compiled_one_in_128_mb(
    deployment: Deployment, model: Path
) -> None:
    """Both forms answer alike, and the compiled one needs less than 64 MB of memory."""
    api = deployment.deploy()
    deployment.publish(model)
    functions: Any = client("lambda", api.stack.emulator.url)
    name = f"sklearn-api-{api.stack.stage}-review"
    settings = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    answers, used = {}, {}
    for form, memory in (("compiled", 128), ("sklearn", 1024)):
        functions.update_function_configuration(
            FunctionName=name,
            MemorySize=memory,
            Environment={"Variables": {**settings, "MODEL_FORM": form}},
        )
        functions.get_waiter("function_updated_v2").wait(FunctionName=name)
        # From here on, no earlier environment answers.
        answer = api.review("I love this movie")
        assert answer.status == 200, answer.text
        answers[form] = answer.json()
        report = re.compile(rf"Memory Size: {memory} MB\s+Max Memory Used: (\d+) MB")
        used[form] = int(wait_for(partial(reported, api, report), "the report in the log"))
        assert any(f'"form": "{form}"' in line for line in api.logs("review"))
    assert used["compiled"] < 64 < used["sklearn"]
    assert answers["compiled"]["label"] == answers["sklearn"]["label"]
    assert answers["compiled"]["score"] == pytest.approx(answers["sklearn"]["score"], abs=1e-9)


def test_a_new_model_is_served_without_a_deployment(
    api: Api, shared_deployment: Deployment, model: Path, opposite_model: Path
) -> None:
    """A warm Lambda soon answers with a newly published model, and with the old one after a rollback."""
    assert prediction(api) == "Positive Review"
    shared_deployment.publish(opposite_model)
    wait_for(lambda: prediction(api) == "Negative Review", "the new model")
    shared_deployment.publish(model)
    wait_for(lambda: prediction(api) == "Positive Review", "the first model again")


def test_a_damaged_model_does_not_replace_a_good_one(
    api: Api, shared_deployment: Deployment, model: Path
) -> None:
    """A pointer to a damaged artifact is logged, and the old model keeps serving."""
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
    """`publish` refuses a model that the stage's Lambdas would refuse, and names both Pythons."""
    manifest = json.loads((model / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "python": "3.10"}))
    (tmp_path / "model.zip").write_bytes((model / "model.zip").read_bytes())
    with pytest.raises(
        AssertionError, match=r"trained with Python 3\.10, but stage .* runs python3"
    ):
        shared_deployment.publish(tmp_path)


def test_publishing_the_same_model_again_changes_nothing(
    api: Api, shared_deployment: Deployment, model: Path
) -> None:
    """Publishing the same artifact again reports that the stage already serves it."""
    before = api.review("fine").json()["model"]["version"]
    output = shared_deployment.publish(model)
    assert before in output
    assert api.review("fine").json()["model"]["version"] == before

"""An endpoint that scripts/new has made, from its folder to its answers."""

from pathlib import Path
from typing import Any

from scripts.lib.new import add, endpoint
from scripts.lib.project import ROOT
from scripts.lib.stack import client
from tests.helpers.waiting import wait_for
from tests.integration.deployed import Deployment, training
from training.folder import load

SAMPLE = ROOT / "training" / "sample" / "reviews.csv"
NAME, PATH = "film-mood", "/films/mood"


def test_a_new_endpoint_serves_its_model_alone(
    deployment: Deployment, model: Path, tmp_path: Path
) -> None:
    """It is deployed as it was made, answers once its model is published, and reads no other."""
    add(endpoint(NAME, PATH, 512), deployment.project)
    api = deployment.deploy()
    training("train", "--name", NAME, "--data", str(SAMPLE), "--output", str(tmp_path / "model"))
    manifest, _ = load(tmp_path / "model")
    instance = {manifest.signature["inputs"][0]["name"]: "I love this movie"}
    assert api.post(PATH, instance, key=None).status == 403
    answer = api.post(PATH, instance)
    assert answer.status == 503
    assert "no model is published" in answer.json()["detail"]
    assert api.health()["models"][NAME]["version"] is None

    deployment.publish(tmp_path / "model", NAME)
    deployment.publish(model)
    found = wait_for(
        lambda: answer.json() if (answer := api.post(PATH, instance)).status == 200 else None,
        "the model is served",
    )
    assert found["prediction"] == manifest.signature["labels"][1]["word"]
    assert found["model"]["name"] == NAME
    wait_for(lambda: api.health()["models"][NAME].get("form"), "the model in health")
    wait_for(lambda: any(f'"endpoint": "{NAME}"' in one for one in api.logs(NAME)), "its log")

    functions: Any = client("lambda", api.stack.emulator.url)
    function = {"FunctionName": f"sklearn-api-{api.stack.stage}-{NAME}"}
    settings = functions.get_function_configuration(**function)["Environment"]["Variables"]
    functions.update_function_configuration(
        **function, Environment={"Variables": {**settings, "MODEL_NAME": "review"}}
    )
    functions.get_waiter("function_updated_v2").wait(**function)
    assert api.review("fine").status == 200
    denied = api.post(PATH, {"review_text": "I love this movie"})
    assert denied.status == 503
    assert "access to it is denied" in denied.json()["detail"]

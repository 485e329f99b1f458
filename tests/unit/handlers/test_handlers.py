"""The Lambdas as they are packaged: the files that are listed for them are enough."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PACKAGES: dict[str, list[str]] = yaml.safe_load((ROOT / "handlers" / "packages.yml").read_text())

RUN = """
import json, sys
from handlers.{name}.handler import handler

class Context:
    aws_request_id = "lambda-id"

event = json.load(open({event!r})) if {event!r} else {{}}
answer = handler(event, Context())
print(json.dumps([answer, sorted(sys.modules)]))
"""


def invoke(name: str, folder: Path, event: str = "") -> tuple[dict[str, object], set[str]]:
    """Invoke a handler that sees its own package only; return its answer and what it imported."""
    for pattern in PACKAGES[name]:
        for path in ROOT.glob(pattern):
            target = folder / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    result = subprocess.run(
        [sys.executable, "-c", RUN.format(name=name, event=event)],
        cwd=folder,
        env={
            "MODEL_BUCKET": "no-such-bucket",
            "MODEL_NAME": "review",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    answer, modules = json.loads(result.stdout.splitlines()[-1])
    return answer, {module.split(".")[0] for module in modules}


def test_health_answers_from_its_own_package_alone(tmp_path: Path) -> None:
    """`GET /health` imports neither numpy, scikit-learn, skops nor boto3, and ships no model code."""
    answer, modules = invoke("health", tmp_path, str(ROOT / "tests" / "events" / "health.json"))
    assert (answer["statusCode"], answer["body"]) == (200, "healthy")
    assert not modules & {"numpy", "scipy", "sklearn", "skops", "boto3", "botocore"}
    assert not (tmp_path / "sklearn_api" / "predictor.py").exists()


def test_health_as_json_needs_nothing_of_models_either(tmp_path: Path) -> None:
    """With `Accept: application/json`, the package brings boto3 alone, and says S3 is away."""
    event = json.loads((ROOT / "tests" / "events" / "health.json").read_text())
    event["headers"]["Accept"] = "application/json"
    (tmp_path / "event.json").write_text(json.dumps(event))
    answer, modules = invoke("health", tmp_path, "event.json")
    assert answer["statusCode"] == 200
    found = json.loads(str(answer["body"]))
    assert (found["status"], found["model"]) == ("degraded", None)
    assert "cannot be reached" in found["detail"]
    assert "boto3" in modules
    assert not modules & {"numpy", "scipy", "sklearn", "skops"}


def test_review_starts_without_storage_and_says_so(tmp_path: Path) -> None:
    """Where S3 cannot be reached at the cold start, requests get 503 with a reason, not a crash."""
    answer, _ = invoke("review", tmp_path, str(ROOT / "tests" / "events" / "review.json"))
    assert answer["statusCode"] == 503
    assert "cannot be reached" in str(answer["body"])


def test_a_direct_invocation_is_answered_in_words(tmp_path: Path) -> None:
    """`sls invoke` without an event gets a problem, not a stack trace."""
    answer, _ = invoke("review", tmp_path)
    assert answer["statusCode"] == 400
    assert "body cannot be empty" in str(answer["body"])


@pytest.mark.parametrize("name", PACKAGES)
def test_every_listed_file_exists(name: str) -> None:
    """No pattern of a package is a leftover."""
    assert all(list(ROOT.glob(pattern)) for pattern in PACKAGES[name])

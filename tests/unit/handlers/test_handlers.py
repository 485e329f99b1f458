"""The Lambdas as they are packaged: their lists of files are complete."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from scripts.lib.configuration import packages
from scripts.lib.live_code import Copies
from scripts.lib.project import ROOT
from tests.helpers.events import read_event
from tests.helpers.fakes import pointer_to
from tests.helpers.imports import needed_files
from tests.helpers.servers import content, serving
from tests.helpers.stored import REVIEW_SIGNATURE, stored
from training.names import endpoint_folder

PACKAGES = packages(ROOT)
HANDLERS = {name: f"handlers/{endpoint_folder(name)}/handler.py" for name in PACKAGES}
NAMES = sorted(PACKAGES)

# What a cold start may import besides the package: each module is there for a reason, and costs less
# than 3 ms. A name includes all modules below it. Other modules, such as dataclasses (12 ms),
# zipfile (11 ms), http.client (18 ms), importlib.metadata (25 ms), ssl and everything outside the
# standard library, have to be imported where they are needed.
BASE = {
    "collections", "contextlib", "copyreg", "enum", "functools", "io", "itertools", "keyword",
    "operator", "re", "reprlib", "types", "typing", "warnings",
}  # fmt: skip
HEALTH = BASE | {"binascii", "datetime", "http", "json", "math", "time"}
S3 = {"array", "errno", "hashlib", "hmac", "selectors", "select", "socket"}
REFRESH = {"threading", "weakref", "zlib"}
REVIEW = HEALTH | S3 | REFRESH | {"bisect", "unicodedata"}
# On Lambda, the runtime's client imports http, json, threading and more before any handler.

RUN = """
import sys
bare = set(sys.modules)
from handlers.{name}.handler import handler
class Context:
    aws_request_id = "lambda-id"
event = {event}
answer = handler(event, Context())
used = sorted(set(sys.modules) - bare)
import json
print(json.dumps([answer, used]))
"""


def invoke(
    name: str, folder: Path, event: object = None, **environment: str
) -> tuple[dict[str, object], set[str]]:
    """Invoke a handler that sees only its own package; return its answer and what it imported."""
    Copies(ROOT, PACKAGES[name], folder).update()
    result = subprocess.run(
        [sys.executable, "-c", RUN.format(name=name, event=repr(event or {}))],
        cwd=folder,
        env={
            "MODEL_BUCKET": "no-such-bucket",
            **({"MODEL_NAMES": "review"} if name == "health" else {"MODEL_NAME": name}),
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    answer, modules = json.loads(result.stdout.splitlines()[-1])
    return answer, set(modules)


def over_budget(modules: set[str], allowed: set[str]) -> set[str]:
    """Return the modules that are neither internal to Python, nor the project's, nor allowed."""
    return {
        module
        for module in modules
        if module.split(".")[0] not in {"sklearn_api", "handlers"}
        and not module.startswith("_")
        and module not in allowed
        and module.split(".")[0] not in allowed - {"http"}
    }


def test_health_answers_from_its_own_package_alone(tmp_path: Path) -> None:
    """`GET /health` imports few modules of the standard library, and ships no model code."""
    answer, modules = invoke("health", tmp_path, read_event("health"))
    assert (answer["statusCode"], answer["body"]) == (200, "healthy")
    assert over_budget(modules, HEALTH) == set()
    assert not (tmp_path / "sklearn_api" / "load.py").exists()


def test_health_as_json_imports_no_model_code_either(tmp_path: Path) -> None:
    """With `Accept: application/json`, it reads S3 without boto3, and reports that it cannot."""
    answer, modules = invoke("health", tmp_path, read_event("health", Accept="application/json"))
    assert answer["statusCode"] == 200
    found = json.loads(str(answer["body"]))
    assert found["status"] == "degraded"
    assert [model["name"] for model in found["models"]] == ["review"]
    assert "cannot be reached" in found["models"][0]["detail"]
    assert over_budget(modules, HEALTH | S3 | REFRESH) == set()


@pytest.mark.parametrize(
    ("form", "heavy"), [("auto", set()), ("sklearn", {"numpy", "scipy", "sklearn"})]
)
def test_review_imports_scikit_learn_only_if_it_serves(
    tmp_path: Path, form: str, heavy: set[str]
) -> None:
    """A compiled model predicts within the budget; MODEL_FORM=sklearn imports scikit-learn."""
    pipeline = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0))
    pipeline.fit(["I love this movie", "I hate it"], [1, 0])
    artifact = stored(pipeline, signature=REVIEW_SIGNATURE).content
    with serving(content(pointer_to(artifact).to_json()), content(artifact)) as server:
        answer, modules = invoke(
            "review",
            tmp_path,
            read_event("review"),
            AWS_ENDPOINT_URL=server.url,
            MODEL_FORM=form,
        )
    assert answer["statusCode"] == 200
    assert json.loads(str(answer["body"]))["prediction"] == "Positive Review"
    assert {module.split(".")[0] for module in modules} & {
        "numpy", "scipy", "sklearn", "skops", "boto3", "botocore"
    } == heavy  # fmt: skip
    if form == "auto":
        assert over_budget(modules, REVIEW) == set()


def test_review_starts_without_s3_and_reports_it(tmp_path: Path) -> None:
    """If S3 cannot be reached at the cold start, requests get 503 with a reason, not a crash."""
    answer, _ = invoke("review", tmp_path, read_event("review"))
    assert answer["statusCode"] == 503
    assert "cannot be reached" in str(answer["body"])


def test_an_invocation_without_an_event_is_answered(tmp_path: Path) -> None:
    """`sls invoke` without an event gets problem details, not a stack trace."""
    answer, _ = invoke("review", tmp_path)
    assert answer["statusCode"] == 400
    assert "body cannot be empty" in str(answer["body"])


def test_every_handler_belongs_to_a_function() -> None:
    """serverless.yml has a function for each folder of a handler, and no other function."""
    found = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("handlers/*/handler.py")}
    assert found == set(HANDLERS.values())


@pytest.mark.parametrize("name", NAMES)
def test_every_listed_file_exists(name: str) -> None:
    """Every pattern in the list of a package matches a file."""
    assert all(list(ROOT.glob(pattern.removeprefix("!"))) for pattern in PACKAGES[name])


def test_health_is_packaged_with_exactly_the_files_that_it_imports() -> None:
    """The list for `health` names each file that it can import at run time, and no other file."""
    assert sorted(PACKAGES["health"]) == sorted(needed_files("handlers/health/handler.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_package_contains_all_that_its_handler_imports(name: str, tmp_path: Path) -> None:
    """A handler imports nothing outside of its package, however indirectly or late."""
    files = Copies(ROOT, PACKAGES[name], tmp_path / name).update()
    assert needed_files(HANDLERS[name]) <= set(files)

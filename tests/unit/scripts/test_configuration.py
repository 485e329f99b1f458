"""What the scripts read from serverless.yml."""

from pathlib import Path

import pytest

from scripts.lib.configuration import packages, post_path, served_models
from scripts.lib.project import ROOT, ScriptError


def test_functions_and_their_files_are_read_from_the_configuration() -> None:
    """serverless.yml is read in spite of CloudFormation's tags, and so are files it refers to."""
    found = packages(ROOT)
    assert {"health", "review"} <= set(found)
    assert "handlers/health/handler.py" in found["health"]
    assert "handlers/review/**/*.py" in found["review"]


def test_patterns_may_be_in_the_configuration(tmp_path: Path) -> None:
    """serverless.yml may list a function's files itself."""
    (tmp_path / "serverless.yml").write_text(
        "functions:\n  mood:\n    role: !GetAtt Role.Arn\n"
        "    package:\n      patterns: [code/*.py]\n"
    )
    assert packages(tmp_path) == {"mood": ["code/*.py"]}


@pytest.mark.parametrize(
    "text", ["", "functions: {a: {handler: b}}", "functions: {a: {package: {patterns: x}}}", "{"]
)
def test_a_configuration_without_patterns_is_refused(tmp_path: Path, text: str) -> None:
    """Patterns that are missing or not a list are reported in one sentence."""
    (tmp_path / "serverless.yml").write_text(text)
    with pytest.raises(
        ScriptError, match=r"serverless\.yml does not (list the files of|declare) its functions"
    ):
        packages(tmp_path)


def test_the_endpoints_of_models_are_found(tmp_path: Path) -> None:
    """Endpoints are found by MODEL_NAME, in a file or in place, and in both forms of an event."""
    (tmp_path / "serverless.yml").write_text(
        "functions:\n"
        "  health: { events: [{ http: { method: get, path: health } }] }\n"
        "  one: ${file(one.yml)}\n"
        "  two: { environment: { MODEL_NAME: second }, events: [http: POST /a/b] }\n"
        "  again: { environment: { MODEL_NAME: second }, events: [http: post c] }\n"
    )
    (tmp_path / "one.yml").write_text(
        "layers: [!Ref Layer]\nenvironment: { MODEL_NAME: first }\n"
        "events:\n  - http: { method: post, path: one, private: true }\n"
    )
    assert served_models(tmp_path) == {"first": "/one", "second": "/a/b"}


def test_other_events_are_not_endpoints() -> None:
    """A function for GET, for a schedule, or without events has no path for POST."""
    assert post_path({"events": [{"http": "get health"}, {"schedule": "rate(1 hour)"}]}) is None
    assert post_path({}) is None

"""Which models the endpoints serve, and what the scripts ask them."""

import json
from pathlib import Path

import pytest

from scripts.lib.project import ROOT, ScriptError
from scripts.lib.served import Served, all_served


def model(folder: Path, manifest: object, name: str = "tickets") -> Served:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return Served(name, f"/{name}", folder)


def test_both_examples_have_an_endpoint() -> None:
    """The endpoints are those of serverless.yml, in its order, with the folders of their models."""
    found = {one.name: (one.path, one.folder.relative_to(ROOT).as_posix()) for one in all_served()}
    assert list(found.items())[:2] == [
        ("review", ("/review", ".local/model/review")),
        ("churn", ("/churn", ".local/model/churn")),
    ]


def test_an_endpoint_is_tried_with_the_example_of_its_model(tmp_path: Path) -> None:
    """The instance consists of the signature's examples, gaps included."""
    inputs = [{"name": "tenure", "example": 3}, {"name": "plan", "example": None}]
    found = model(tmp_path / "model", {"sha256": "abc", "signature": {"inputs": inputs}})
    assert found.is_stored
    assert found.sha256 == "abc"
    assert found.instances() == [{"tenure": 3, "plan": None}]


def test_reviews_are_tried_with_praise_and_blame(tmp_path: Path) -> None:
    """The example `review` is asked about two reviews, in the field that its model has."""
    inputs = [{"name": "review_text", "example": "fine"}]
    found = model(tmp_path / "model", {"signature": {"inputs": inputs}}, "review")
    assert found.instances() == [
        {"review_text": "I love this movie"},
        {"review_text": "I hate this movie"},
    ]


@pytest.mark.parametrize("manifest", [{}, [], None])
def test_a_manifest_of_another_version_is_reported(tmp_path: Path, manifest: object) -> None:
    """A manifest without a signature is reported with its file, and with what to do."""
    found = model(tmp_path / "model", manifest)
    with pytest.raises(ScriptError, match=r"manifest\.json says nothing of signature .* train"):
        found.instances()


def test_a_model_that_is_not_there_is_not_stored(tmp_path: Path) -> None:
    """An endpoint may have no model yet."""
    assert not Served("tickets", "/tickets", tmp_path / "none").is_stored

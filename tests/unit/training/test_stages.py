"""The commands on versions: which model they mean, and what they say about it."""

import hashlib
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.fakes import FakeS3
from tests.helpers.releases import bar, release
from training.__main__ import main
from training.account import Target
from training.publish import publish
from training.registry import Registry

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
MODELS = ("churn", "review")


class Stages:
    """Stages with a bucket each; the functions of each serve `review`."""

    def __init__(self) -> None:
        self.buckets: dict[str, FakeS3] = {}

    def account(self, stage: str, region: str | None = None) -> "FakeAccount":
        return FakeAccount(stage, self.buckets.setdefault(stage, FakeS3()))

    def put(self, stage: str, name: str, *numbers: int) -> list[str]:
        """Publish models of a name, and return their versions."""
        client: Any = self.account(stage).client("s3")
        versions = []
        for number in numbers:
            one = release(number)
            one = replace(one, manifest=replace(one.manifest, name=name))
            registry = Registry(client, "bucket", name)
            versions.append(publish(registry, one, now=NOW, bar=bar)[0])
        return versions

    def served(self, stage: str) -> dict[str, str]:
        client: Any = self.account(stage).client("s3")
        found = {name: Registry(client, "bucket", name).pointer() for name in MODELS}
        return {name: one[0].version for name, one in found.items() if one}


class FakeAccount:
    def __init__(self, stage: str, s3: FakeS3) -> None:
        self._stage, self._s3 = stage, s3

    def target(self) -> Target:
        return Target(f"bucket-of-{self._stage}", self._stage, models=("review",))

    def client(self, service: str) -> FakeS3:
        assert service == "s3"
        return self._s3


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Stages:
    found = Stages()
    monkeypatch.setattr("training.account.Account", found.account)
    return found


Run = Callable[[str], str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line; return what it printed, or its error."""

    def call(line: str) -> str:
        status = main(shlex.split(line))
        printed = capsys.readouterr()
        assert status == (2 if printed.err else 0)
        return " ".join((printed.out + printed.err).split())

    return call


def test_rolling_back_a_model_leaves_others_alone(stages: Stages, run: Run) -> None:
    """`rollback --name` moves the pointer of that model only, and says its name."""
    churn = stages.put("prod", "churn", 1, 2)
    review = stages.put("prod", "review", 3, 4)
    said = run("rollback --name churn --stage prod")
    assert said.endswith(f"✓ Rolled back churn: stage prod serves churn {churn[0]}")
    assert stages.served("prod") == {"churn": churn[0], "review": review[1]}
    assert f"serves review {review[0]}" in run("rollback --stage prod")
    again = run(f"rollback --name churn --stage prod --to {churn[0]}")
    assert again.endswith(f"Stage prod already serves this version: churn {churn[0]}")


def test_promotion_copies_the_named_model(stages: Stages, run: Run) -> None:
    """`promote --name` copies that model only, and says its name."""
    churn = stages.put("dev", "churn", 1)
    stages.put("dev", "review", 2)
    said = run("promote --name churn --from dev --to prod")
    assert said.endswith(f"✓ Promoted churn: stage prod serves churn {churn[0]}")
    assert stages.served("prod") == {"churn": churn[0]}


def test_list_shows_every_model(stages: Stages, run: Run) -> None:
    """Without --name, each model of the bucket has a section; with it, only that one."""
    churn, review = stages.put("local", "churn", 1), stages.put("local", "review", 2, 3)
    every = run("list")
    assert every.index("Versions of churn, stage local") < every.index("Versions of review")
    for version in (*churn, *review):
        assert version in every
    assert every.count("● served") == 2
    one = run("list --name review --limit 1")
    assert review[1] in one
    assert review[0] not in one
    assert "1 older version of review is not shown (--limit)" in one
    assert "churn" not in one


def test_show_takes_a_name(stages: Stages, run: Run) -> None:
    """`show --name` shows the version of that model which is served."""
    (version,) = stages.put("local", "churn", 1)
    stages.put("local", "review", 2)
    assert re.search(rf"Model churn Version {version}", run("show --name churn"))


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("list --stage dev", "publish --name review --stage dev"),
        ("list --name churn", "publish --name churn --stage local"),
        ("show --name churn --stage dev", "publish --name churn --stage dev"),
        (
            "list --name churn --bucket other --region eu-west-1",
            "publish --name churn --stage local --region eu-west-1 --bucket other",
        ),
        ("show typo --name churn --stage dev", "list --name churn --stage dev"),
    ],
)
def test_advice_leads_to_the_same_place(stages: Stages, run: Run, line: str, command: str) -> None:
    """A command in a message has the name and the stage of the command that failed."""
    assert f"python -m training {command}" in run(line)


@pytest.mark.usefixtures("stages")
def test_a_model_of_another_name_is_not_published(
    sample_model: Path, run: Run, tmp_path: Path
) -> None:
    """The model in a folder has to be called as the command says."""
    said = run(f"publish --name churn --model {sample_model}")
    assert f"the model in {sample_model} is called review, not churn" in said
    assert f"--name review --model {sample_model}" in said


def test_publish_says_which_model_is_served(stages: Stages, run: Run, sample_model: Path) -> None:
    """The message names model, bucket, stage and version; the name may come from the folder."""
    said = run(f"publish --model {sample_model} --stage dev")
    version = stages.served("dev")["review"]
    assert f"✓ Published review to s3://bucket-of-dev: stage dev serves review {version}" in said
    assert "no endpoint" not in said
    again = run(f"publish --name review --model {sample_model} --stage dev")
    assert f"✓ Stage dev already serves this model: review {version}" in again


def test_an_artifact_placed_by_hand_is_asked_first(
    stages: Stages, run: Run, sample_model: Path, tmp_path: Path
) -> None:
    """A model.zip that fits its manifest, but cannot answer, is not published."""
    content = (sample_model / "model.zip").read_bytes()
    broken = content.replace(b"review_text", b"review_tex!")
    manifest = json.loads((sample_model / "manifest.json").read_text())
    manifest["sha256"] = hashlib.sha256(broken).hexdigest()
    (tmp_path / "model.zip").write_bytes(broken)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    said = run(f"publish --model {tmp_path}")
    assert f"error: {tmp_path / 'model.zip'} is not published: " in said
    assert stages.served("local") == {}


@pytest.mark.usefixtures("stages")
@pytest.mark.parametrize(
    ("declared", "make"), [(False, "./scripts/new good-moods, then "), (True, "")]
)
def test_a_model_without_an_endpoint_is_pointed_out(
    run: Run,
    sample_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    declared: bool,
    make: str,
) -> None:
    """Publishing a model that no function of the stage serves says how to make an endpoint."""
    if declared:
        (tmp_path / "handlers" / "good_moods").mkdir(parents=True)
    monkeypatch.setattr("training.commands.serving.ROOT", tmp_path)
    (tmp_path / "model.zip").write_bytes((sample_model / "model.zip").read_bytes())
    manifest = json.loads((sample_model / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "name": "good-moods"}))
    said = run(f"publish --name good-moods --model {tmp_path} --stage dev")
    assert "✓ Published good-moods" in said
    assert (
        f"! stage dev has no endpoint that serves good-moods; make one with: {make}"
        "npx sls deploy --stage dev" in said
    )


@pytest.mark.usefixtures("stages")
@pytest.mark.parametrize("name", ["churn", "tickets"])
def test_a_missing_model_can_be_made(
    name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error about a folder without a model says how to make one of that name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("training.options.ROOT", tmp_path)
    data = "" if name == "churn" else " --data FILE"
    assert run(f"publish --name {name}") == (
        f"error: there is no model in .local/model/{name}; make one with: python -m training train "
        f"--name {name}{data}"
    )


@pytest.mark.parametrize(
    "command", ["publish", "list", "show", "rollback", "promote --from a --to b"]
)
def test_names_are_checked(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command refuses a name that could not be one, before it does anything."""
    with pytest.raises(SystemExit):
        main([*command.split(), "--name", "Churn!"])
    assert "'Churn!' is not a valid name of a model" in capsys.readouterr().err

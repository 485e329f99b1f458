"""The record of what the last `up` made."""

import re
from pathlib import Path

import pytest

from scripts.lib import record
from scripts.lib.project import ROOT
from scripts.lib.record import DEPLOYMENT_INPUTS, Record


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of a few files."""
    for name in ("handlers/review/handler.py", "training/train.py", "serverless.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(record, "ROOT", tmp_path)
    monkeypatch.setattr(record, "RECORD_FILE", tmp_path / "up.json")
    return tmp_path


def test_a_record_is_read_as_it_was_written(root: Path) -> None:
    """A saved record is loaded unchanged, and no temporary file is left."""
    saved = Record("a", "b", "c")
    saved.save()
    assert Record.load() == saved
    assert [path.name for path in root.glob("up.*")] == ["up.json"]


@pytest.mark.parametrize("text", [None, "", "[]", '{"model": ""}', '{"another": 1}'])
def test_without_a_record_nothing_is_current(root: Path, text: str | None) -> None:
    """A record that is missing, or of another version, matches no digest."""
    if text is not None:
        (root / "up.json").write_text(text)
    made = Record.load()
    assert made.models != record.model_inputs()
    assert made.deployment != record.deployment_inputs("layer")


def test_a_digest_changes_with_its_inputs(root: Path) -> None:
    """Contents, names and the layer change it; bytecode and other steps' files do not."""
    first = record.deployment_inputs("layer")
    model = record.model_inputs()
    (root / "training" / "train.py").write_text("changed")
    (root / "handlers" / "review" / "handler.cpython-313.pyc").write_text("bytecode")
    assert record.deployment_inputs("layer") == first
    assert record.model_inputs() != model
    assert record.deployment_inputs("another layer") != first
    (root / "handlers" / "review" / "handler.py").rename(root / "handlers" / "renamed.py")
    renamed = record.deployment_inputs("layer")
    assert renamed != first
    (root / "serverless.yml").write_text("changed")
    assert record.deployment_inputs("layer") not in (first, renamed)


def test_every_file_that_the_configuration_reads_is_an_input() -> None:
    """Files that serverless.yml refers to are inputs of a deployment.

    So are the project's plugins and the programs that they run.
    """
    configuration = (ROOT / "serverless.yml").read_text()
    read = set(re.findall(r"\$\{file\(([^)]+)\)", configuration))
    assert "handlers/packages.yml" in read
    plugins = re.findall(r"^  - \./(\S+)", configuration, re.MULTILINE)
    assert {"scripts/roles.cjs", "scripts/bytecode.cjs", "scripts/remove-models.cjs"} == set(
        plugins
    )
    read |= {*plugins, "scripts/lib/function_bytecode.py"}
    assert not [file for file in read if not file.startswith(DEPLOYMENT_INPUTS)]

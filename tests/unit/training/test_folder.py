"""The folder of a trained model: replaced completely, and refused when it is damaged."""

import json
from pathlib import Path

import pytest

from training.errors import TrainingError
from training.folder import load, read_report, store


def test_a_stored_model_can_be_loaded(sample_model: Path, tmp_path: Path) -> None:
    """Storing creates the folder, with the artifact, the report and the manifest, and no more."""
    manifest, content = load(sample_model)
    store(tmp_path / "new" / "folder", manifest, content, "<html>ü")
    assert load(tmp_path / "new" / "folder") == (manifest, content)
    assert read_report(tmp_path / "new" / "folder") == {"index.html": "<html>ü".encode()}
    names = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert names == ["manifest.json", "model.zip", "report"]


def test_a_model_is_replaced_completely_or_not_at_all(sample_model: Path, tmp_path: Path) -> None:
    """When the artifact cannot be replaced, the old files remain, and no temporary ones."""
    manifest, content = load(sample_model)
    (tmp_path / "manifest.json").write_text("old")
    kept = tmp_path / "model.zip" / "kept"  # a file cannot replace a folder
    kept.parent.mkdir()
    kept.touch()
    with pytest.raises(TrainingError, match="cannot be written"):
        store(tmp_path, manifest, content, "<html>")
    assert kept.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "model.zip"]
    assert (tmp_path / "manifest.json").read_text() == "old"


def test_a_file_that_was_not_written_completely_replaces_nothing(
    sample_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are read back before they replace the old ones."""
    manifest, content = load(sample_model)
    (tmp_path / "model.zip").write_text("old")
    write = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda path, data: write(path, data[:100]))
    with pytest.raises(TrainingError, match=r"cannot be written: .*does not hold what was written"):
        store(tmp_path, manifest, content, "<html>")
    assert [path.name for path in tmp_path.iterdir()] == ["model.zip"]
    assert (tmp_path / "model.zip").read_text() == "old"


def test_a_folder_that_cannot_be_written_is_reported(sample_model: Path, tmp_path: Path) -> None:
    """When the folder cannot be created, the error is one sentence."""
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(TrainingError, match=r"file/below cannot be written: Not a directory"):
        store(file / "below", *load(sample_model), "<html>")


def test_a_damaged_model_is_refused(sample_model: Path, tmp_path: Path) -> None:
    """A missing, truncated or foreign file is an error that says how to replace it."""
    with pytest.raises(TrainingError, match="there is no model in"):
        load(tmp_path)
    manifest = (sample_model / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(manifest)
    (tmp_path / "model.zip").write_bytes(b"cut")
    with pytest.raises(TrainingError, match="train again"):
        load(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"name": "review"}))
    with pytest.raises(TrainingError, match="missing or unknown fields"):
        load(tmp_path)


def test_a_file_instead_of_the_folder_is_reported(sample_model: Path) -> None:
    """Naming the artifact instead of its folder is a clear error."""
    with pytest.raises(TrainingError, match="cannot be read: Not a directory"):
        load(sample_model / "model.zip")


def test_a_report_is_read_with_its_folders(tmp_path: Path) -> None:
    """All files of a report are read, except hidden ones; a model may have no report."""
    assert read_report(tmp_path) == {}
    (tmp_path / "report" / "images").mkdir(parents=True)
    (tmp_path / "report" / "index.html").write_bytes(b"<html>")
    (tmp_path / "report" / "images" / "a.png").write_bytes(b"png")
    (tmp_path / "report" / ".index.html.new").write_bytes(b"half")
    assert read_report(tmp_path) == {"index.html": b"<html>", "images/a.png": b"png"}

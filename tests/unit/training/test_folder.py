"""The folder of a trained model: read completely, or refused."""

from pathlib import Path

from training.folder import read_report


def test_a_report_is_read_with_its_folders(tmp_path: Path) -> None:
    """All files of a report belong to it, but for hidden ones; a model may have none."""
    assert read_report(tmp_path) == {}
    (tmp_path / "report" / "images").mkdir(parents=True)
    (tmp_path / "report" / "index.html").write_bytes(b"<html>")
    (tmp_path / "report" / "images" / "a.png").write_bytes(b"png")
    (tmp_path / "report" / ".index.html.new").write_bytes(b"half")
    assert read_report(tmp_path) == {"index.html": b"<html>", "images/a.png": b"png"}

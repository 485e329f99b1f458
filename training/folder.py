"""The folder of a trained model: `model.zip`, `manifest.json` and `report/index.html`.

Each file is written under a temporary name, read back, and then moved into place. The manifest
comes last: a folder whose manifest fits its artifact is complete.
"""

import errno
import hashlib
from pathlib import Path

from sklearn_api.errors import ArtifactError
from training.artifact.manifest import Manifest
from training.errors import TrainingError
from training.options import MODEL_NAME, make_command


def report_file(folder: Path) -> Path:
    """Return the path of a trained model's report."""
    return folder / "report" / "index.html"


def store(folder: Path, manifest: Manifest, artifact: bytes, report: str) -> None:
    """Write a trained model to a folder, which is created if it does not exist.

    Parameters
    ----------
    folder : Path
        Of the model.
    manifest : Manifest
        Describes the artifact.
    artifact : bytes
        The model.
    report : str
        HTML page.

    Raises
    ------
    TrainingError
        A file cannot be written; the file that it would have replaced is still there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / "model.zip", artifact)
        report_file(folder).parent.mkdir(exist_ok=True)
        _replace(report_file(folder), report.encode())
        _replace(folder / "manifest.json", manifest.to_json())
    except OSError as exc:
        raise TrainingError(f"{folder} cannot be written: {exc.strerror}") from exc


def load(folder: Path, name: str = MODEL_NAME) -> tuple[Manifest, bytes]:
    """Return a trained model's manifest and artifact, checked against each other.

    Parameters
    ----------
    folder : Path
        Of the model.
    name : str
        The model that is expected there, for messages.

    Raises
    ------
    TrainingError
        The folder holds no model, or a damaged one.
    """
    try:
        manifest = Manifest.from_json((folder / "manifest.json").read_bytes())
        content = (folder / "model.zip").read_bytes()
    except FileNotFoundError as exc:
        raise TrainingError(
            f"there is no model in {folder}; make one with: {make_command(name)}"
        ) from exc
    except OSError as exc:  # such as a file instead of the folder
        raise TrainingError(f"{exc.filename} cannot be read: {exc.strerror}") from exc
    except ArtifactError as exc:
        raise TrainingError(f"{folder / 'manifest.json'}: {exc}; train again") from exc
    actual = hashlib.sha256(content).hexdigest()
    if actual != manifest.sha256:
        raise TrainingError(
            f"{folder / 'model.zip'} is not the file that its manifest describes (sha256 {actual}, "
            f"not {manifest.sha256}); train again"
        )
    return manifest, content


def read_report(folder: Path) -> dict[str, bytes]:
    """Return the files of a trained model's report by their paths; empty without a report.

    Raises
    ------
    TrainingError
        A file cannot be read.
    """
    root = report_file(folder).parent
    try:
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }
    except OSError as exc:
        raise TrainingError(f"{exc.filename} cannot be read: {exc.strerror}") from exc


def _replace(path: Path, content: bytes) -> None:
    """Replace a file completely, or leave the old one."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_bytes(content)
        if temporary.read_bytes() != content:
            raise OSError(errno.EIO, f"{temporary.name} does not hold what was written to it")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)

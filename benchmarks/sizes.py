"""Sizes of the model, the functions and the layer, and of what peers need instead."""

import zipfile
from pathlib import Path

from benchmarks import own
from benchmarks.options import Options
from benchmarks.peers.environment import ENVIRONMENTS
from benchmarks.section import Section, Table, megabytes, times
from benchmarks.subject import Subject
from scripts.lib.console import step
from scripts.lib.project import ROOT
from scripts.lib.stack import serverless

_TEXT = """\
Sizes of files, packed and unpacked. Ratios are of unpacked sizes, relative to the first row. The
function needs the layer only if its model has no compiled form. AWS's limit for both together is
250 MB unpacked. The environment of a peer holds its packages of Python or Node.js."""


def measure(subject: Subject, options: Options) -> Section:
    """Run the section."""
    own.install()
    with step("Sizes"):
        copy = own.copy_sources()
        with own.fresh_emulator() as emulator:  # the deployer requests the last layer's version
            serverless(["package"], stage="local", url=emulator.url, cwd=copy)
        sizes: dict[str, tuple[int, int]] = {}
        for name in ("review", "health"):
            sizes[f"function `{name}`"] = _zip(copy / ".serverless" / f"{name}.zip")
        for layer in sorted((ROOT / ".local" / "layer").glob("*.zip")):
            sizes[f"layer {layer.stem}"] = _zip(layer)
        sizes["model, artifact"] = _zip(subject.artifact)
        pickled = subject.pickle.stat().st_size
        sizes["model, pickle"] = (pickled, pickled)
        for folder in sorted(ENVIRONMENTS.glob("*")) if options.peers else []:
            if (folder / ".lock").exists():
                size = _folder(folder)
                sizes[f"environment of {folder.name}"] = (size, size)
    base = sizes["function `review`"][1]
    rows = [
        [name, megabytes(packed), megabytes(unpacked), times(unpacked / base)]
        for name, (packed, unpacked) in sizes.items()
    ]
    return Section("sizes", "Sizes", _TEXT, [Table(["what", "MB", "unpacked MB", "ratio"], rows)])


def _zip(path: Path) -> tuple[int, int]:
    with zipfile.ZipFile(path) as archive:
        return path.stat().st_size, sum(member.file_size for member in archive.infolist())


def _folder(path: Path) -> int:
    return sum(
        file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink()
    )

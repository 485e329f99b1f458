"""Copies of a function's files that follow their sources."""

import py_compile
import shutil
import subprocess
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest

from scripts.lib.live_code import Copies


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with two modules and a note."""
    (tmp_path / "project" / "code").mkdir(parents=True)
    for name in ("one.py", "two.py", "note.txt"):
        (tmp_path / "project" / "code" / name).write_text(name)
    return tmp_path / "project"


def content(copies: Copies) -> dict[str, str]:
    """Return the content of each file in a folder of copies, by its path."""
    files = [path for path in copies.folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(copies.folder)): path.read_text() for path in files}


def test_copies_follow_their_sources(root: Path, tmp_path: Path) -> None:
    """New, changed and deleted files are followed; unchanged ones are not written again."""
    copies = Copies(root, ["code/*.py"], tmp_path / "copies")
    assert copies.update() == ["code/one.py", "code/two.py"]
    assert content(copies) == {"code/one.py": "one.py", "code/two.py": "two.py"}
    before = (copies.folder / "code/two.py").stat()
    (root / "code" / "one.py").write_text("changed")
    (root / "code" / "three.py").write_text("new")
    assert copies.update() == ["code/one.py", "code/three.py"]
    assert copies.update() == []
    (root / "code" / "one.py").unlink()
    assert copies.update() == ["code/one.py"]
    assert content(copies) == {"code/two.py": "two.py", "code/three.py": "new"}
    assert (copies.folder / "code/two.py").stat() == before


def test_a_file_replaced_by_one_of_the_same_size_is_copied(root: Path, tmp_path: Path) -> None:
    """A change is noticed if an editor writes another file and renames it."""
    copies = Copies(root, ["code/one.py"], tmp_path / "copies")
    copies.update()
    (root / "code" / "beside").write_text("two.py")
    (root / "code" / "beside").rename(root / "code" / "one.py")
    assert copies.update() == ["code/one.py"]
    assert content(copies) == {"code/one.py": "two.py"}


def test_patterns_can_exclude(root: Path, tmp_path: Path) -> None:
    """As for the deployer, a later pattern with ``!`` excludes files."""
    copies = Copies(root, ["code/*", "!code/*.txt"], tmp_path / "copies")
    copies.update()
    assert set(content(copies)) == {"code/one.py", "code/two.py"}


def test_bytecode_is_not_copied(root: Path, tmp_path: Path) -> None:
    """The saved source runs, even if there is unchecked bytecode of an older one beside it.

    A pattern may match such bytecode, for example that of an unpacked deployment.
    """
    module = root / "code" / "one.py"
    module.write_text("print('as it was deployed')")
    py_compile.compile(str(module), invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    shutil.copytree(root / "code" / "__pycache__", root / "code" / "old")
    module.write_text("print('as it was saved')")
    copies = Copies(root, ["code/**/*", "code/*"], tmp_path / "copies")
    copies.update()
    assert set(content(copies)) == {"code/one.py", "code/two.py", "code/note.txt"}
    printed = {
        folder: subprocess.check_output([sys.executable, "-B", "-c", "import one"], cwd=folder)
        for folder in (root / "code", copies.folder / "code")
    }
    assert printed[copies.folder / "code"] == b"as it was saved\n"
    assert printed[root / "code"] == b"as it was deployed\n"  # otherwise this tests nothing


def test_copies_of_an_earlier_run_are_removed(root: Path, tmp_path: Path) -> None:
    """Files that an earlier run copied and that no longer exist are not in the folder."""
    Copies(root, ["code/*.py"], tmp_path / "copies").update()
    (root / "code" / "one.py").unlink()
    copies = Copies(root, ["code/*.py"], tmp_path / "copies")
    copies.update()
    assert set(content(copies)) == {"code/two.py"}

"""Which lock files are made."""

from pathlib import Path

import pytest

from scripts.lib.lock import NPM_PROJECTS


@pytest.mark.parametrize("folder", NPM_PROJECTS, ids=lambda folder: folder.name)
def test_the_npm_projects_exist(folder: Path) -> None:
    """Each folder whose npm packages are locked has a package.json, and a lock already."""
    assert (folder / "package.json").is_file()
    assert (folder / "package-lock.json").is_file()

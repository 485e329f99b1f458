"""The containers' files, checked in their configuration, without building an image."""

import re
from pathlib import PurePosixPath

import pytest
import yaml

from scripts.lib.project import LOCAL, ROOT
from scripts.lib.record import DEPLOYMENT_INPUTS, MODEL_INPUTS


@pytest.mark.parametrize("name", ["docker-compose.yml", "docker-compose.localstack-image.yml"])
def test_the_deployer_has_every_file_that_it_reads(name: str) -> None:
    """Each path that `up` reads is mounted or in the image, at its path in the project."""
    mounted = {
        source.removeprefix("./")
        for source, target, *_ in (
            volume.split(":")
            for volume in yaml.safe_load((ROOT / name).read_text())["services"]["deploy"]["volumes"]
        )
        if target == f"/project/{source.removeprefix('./')}"
    }
    copied = {
        path
        for line in re.findall(
            r"^COPY (?!--)(.+) \S+$", (ROOT / "scripts" / "Dockerfile").read_text(), re.MULTILINE
        )
        for path in line.split()
    }
    made = LOCAL.name
    missing = [
        path
        for path in {*DEPLOYMENT_INPUTS, *MODEL_INPUTS}
        if not {path, *map(str, PurePosixPath(path).parents)} & {*mounted, *copied, made}
    ]
    assert not missing

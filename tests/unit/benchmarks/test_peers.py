"""The files that peers are installed from."""

import pytest

from benchmarks.peers import bentoml, fastapi, ministack, mlserver, serverless_offline
from benchmarks.peers.environment import SERVICES
from scripts.lib.project import ROOT


@pytest.mark.parametrize("name", [bentoml.NAME, fastapi.NAME, ministack.NAME, mlserver.NAME])
def test_a_peer_in_python_has_a_lock(name: str) -> None:
    """The packages of each peer that runs in Python are pinned."""
    assert (ROOT / "requirements" / "peers" / f"{name}.lock").is_file()


def test_every_service_is_there() -> None:
    """There is a folder for each peer that runs code of the benchmark, and no other."""
    served = {bentoml.NAME, fastapi.NAME, serverless_offline.NAME}
    assert {folder.name for folder in SERVICES.iterdir()} == served

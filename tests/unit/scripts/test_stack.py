"""How the scripts find a stack and connect to it."""

import re

from scripts.lib.project import ROOT
from scripts.lib.stack import client
from training.account import DEFAULT_REGION, SERVICE


def test_the_configuration_has_the_same_names() -> None:
    """Service and default region are equal to those in serverless.yml."""
    text = (ROOT / "serverless.yml").read_text()
    assert re.findall(r"^service: (.+)$", text, re.MULTILINE) == [SERVICE]
    assert re.findall(r"^  region: .*'(.+)'}$", text, re.MULTILINE) == [DEFAULT_REGION]


def test_clients_have_timeouts() -> None:
    """A client waits 5 s for a connection and a minute for an answer, and then fails."""
    config = client("s3", "http://127.0.0.1:9").meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 60)

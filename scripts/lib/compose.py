"""The service `deploy` of docker-compose.yml: scripts/up without starting LocalStack."""

import os
from dataclasses import replace

from scripts.lib import emulator as emulators
from scripts.lib.console import run_main, step
from scripts.lib.layer.build import build_layer
from scripts.lib.project import ROOT, ScriptError, architecture, python_version
from scripts.lib.up import deploy, predictions, summary, train


def main() -> int:
    """Train the models, and deploy and publish them to the LocalStack in another container."""
    version = python_version()
    port = emulators.default_port()
    train(None)
    with step("scikit-learn layer") as done:
        layer = build_layer(version, architecture(), root=ROOT, report=lambda line: None)
        done("current" if layer.reused else "built")
    current = emulators.find(port)
    if os.environ.get("EMULATOR_EXECUTOR") == "docker":
        # The vendor's image (docker-compose.localstack-image.yml) does not describe itself.
        current = emulators.Emulator(0, port, "docker")
    if current is None:
        raise ScriptError(f"no emulator answered at {emulators.host()}:{port}")
    stack = deploy(current)
    predictions(stack)
    # The host reaches the container at its own loopback interface.
    summary(
        replace(stack, endpoint=stack.endpoint.replace(emulators.host(), "127.0.0.1", 1)),
        {
            "Logs": "docker compose logs localstack",
            "Deploy again": "docker compose run --rm deploy",
            "Stop": "docker compose down -v",
        },
    )
    return 0


if __name__ == "__main__":
    run_main(main)

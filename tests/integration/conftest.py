"""Stacks that belong to the tests, deployed by the real deployer to a running emulator.

If no emulator runs, one is started on a free port and stopped at the end. The tests never touch the
stack that `scripts/up` has deployed: they deploy stages of their own from a copy of the project, and
remove them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.lib import emulator as emulators
from scripts.lib import toolchain
from scripts.lib.emulator import Emulator
from scripts.lib.layer.build import build_layer
from scripts.lib.project import DEPLOYED, ROOT, architecture, python_version
from scripts.lib.served import example
from scripts.lib.stack import Stack, client, describe
from tests.helpers.waiting import wait_for
from tests.integration.deployed import Api, Deployment, Endpoint, Serve, copy_project, training
from training.options import make_command, model_folder
from training.registry import Registry

SAMPLE = ROOT / "training" / "sample" / "reviews.csv"


@pytest.fixture(scope="session")
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """The running emulator, or one that is started for the tests.

    The log of the latter is kept if a test has failed.
    """
    if emulators.host() == "127.0.0.1":  # in a container, the images hold all of it
        toolchain.install_deployer()
        toolchain.install_emulator()
        toolchain.install_runtime()
    known = Stack.load()
    ports = [known.emulator.port] if known else []
    for port in (*ports, emulators.default_port()):
        found = emulators.find(port)
        if found and emulators.has_runtime(found, python_version()):
            yield found
            return
    started = emulators.start(emulators.free_port())
    yield started
    emulators.stop(started)
    if not request.session.testsfailed:
        emulators.log_path(started.port).unlink()


@pytest.fixture(scope="session")
def layer() -> Path:
    """The scikit-learn layer, built unless it is current."""
    return build_layer(python_version(), architecture(), root=ROOT, report=print).path


@pytest.fixture
def project(tmp_path: Path, layer: Path) -> Path:
    """A copy of the project that a test may change and deploy."""
    return copy_project(tmp_path / "project", *DEPLOYED)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on the sample reviews."""
    folder = tmp_path_factory.mktemp("model")
    training("train", "--output", str(folder))
    return folder


@pytest.fixture(scope="session")
def churn_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on the sample customers."""
    folder = tmp_path_factory.mktemp("churn")
    training("train", "--name", "churn", "--output", str(folder))
    return folder


@pytest.fixture(scope="session")
def opposite_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on the sample reviews with every label inverted."""
    folder = tmp_path_factory.mktemp("opposite")
    text = SAMPLE.read_text(encoding="utf-8")
    lines = [
        line.removesuffix("positive") + "negative"
        if line.endswith(",positive")
        else line.removesuffix("negative") + "positive"
        if line.endswith(",negative")
        else line
        for line in text.split("\n")
    ]
    data = folder / "reviews.csv"
    data.write_text("\n".join(lines), encoding="utf-8")
    training("train", "--data", str(data), "--output", str(folder))
    return folder


@pytest.fixture
def deployment(emulator: Emulator, project: Path) -> Iterator[Deployment]:
    """A stage that one test may deploy, change and deploy again."""
    made = Deployment(emulator, project)
    yield made
    made.remove()


@pytest.fixture(scope="session")
def shared_deployment(
    emulator: Emulator,
    layer: Path,
    model: Path,
    churn_model: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """A stage with both examples, shared by all tests that do not deploy."""
    folder = tmp_path_factory.mktemp("shared") / "project"
    copy_project(folder, *DEPLOYED)
    made = Deployment(emulator, folder)
    made.deploy()
    made.publish(model)
    made.publish(churn_model, "churn")
    yield made
    made.remove()


@pytest.fixture
def api(shared_deployment: Deployment, model: Path) -> Api:
    """The API of the shared stage, with a model trained on the sample."""
    found = Api(describe(shared_deployment.emulator, shared_deployment.stage))
    wait_for(lambda: found.review("fine").status == 200, "the model is served")
    return found


@pytest.fixture(scope="session")
def serve(shared_deployment: Deployment) -> Serve:
    """Publish a model of .local/model, unless the shared stage serves one of that name.

    Tests of a model that is neither there nor one of the examples are skipped.
    """
    api = Api(describe(shared_deployment.emulator, shared_deployment.stage))
    s3: Any = client("s3", shared_deployment.emulator.url)

    def serve(name: str, path: str) -> Endpoint:
        registry = Registry(s3, api.stack.bucket, name)
        if registry.pointer() is None:
            folder = ROOT / model_folder(name)
            if not (folder / "manifest.json").is_file():
                pytest.skip(f"there is no model {name}; to make one: {make_command(name)}")
            shared_deployment.publish(folder, name)
        pointer, _ = registry.pointer() or pytest.fail(f"{name} was not published")
        signature = registry.manifest(pointer.version).signature
        endpoint = Endpoint(api, path, example(dict(signature)))
        wait_for(lambda: endpoint.post(endpoint.example).status != 503, f"{name} is served")
        return endpoint

    return serve

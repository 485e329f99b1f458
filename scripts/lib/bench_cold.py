"""Time cold starts: from the start of a process to its first prediction, the model read from S3.

The ways take turns, so that a busy machine disturbs all of them, and medians are compared with
those of an empty function. S3 is the emulator's. Each way is timed as a bare process, and with
AWS's runtime client imported before it, as in every Python Lambda.
"""

import argparse
import json
import os
import pickle
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import sklearn
import yaml
from rich.table import Table

from scripts.lib import emulator, toolchain
from scripts.lib.console import OUT, run_main
from scripts.lib.project import ROOT, python_version
from sklearn_api.artifact import write_artifact
from sklearn_api.store import ModelStore, Pointer, create_client
from training import data, pipelines

_BUCKET = "bench-cold"
_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
# What the layer holds; boto3 is AWS's own.
_LAYER = (
    *("sklearn", "scikit_learn.libs", "numpy", "numpy.libs", "scipy", "scipy.libs"),
    *("joblib", "threadpoolctl.py", "narwhals"),
)
_CLIENT = "from awslambdaric import bootstrap, lambda_runtime_client\n"
_EMPTY = "handler = lambda event, context: {'statusCode': 200}\n"
_HANDLER = "from handlers.review.handler import handler\n"
# What the article does: a pickle, from S3 by boto3.
_ARTICLE = """
import boto3, json, pickle
body = boto3.client('s3').get_object(Bucket='bench-cold', Key='article.pickle')['Body'].read()
pipeline = pickle.loads(body)
def handler(event, context):
    text = json.loads(event['body'])['review_text']
    return {'statusCode': 200, 'label': int(pipeline.predict([text])[0])}
"""
_CALL = "assert handler({event!r}, None)['statusCode'] == 200\n"


@dataclass(frozen=True)
class Way:
    """A function to start.

    Attributes
    ----------
    name : str
        In the table.
    code : str
        Defines `handler`.
    path : sequence of Path
        Where it imports from, besides Python's own modules.
    environment : mapping
        Variables of its own.
    """

    name: str
    code: str
    path: Sequence[Path]
    environment: Mapping[str, str]


def ways(folder: Path) -> list[Way]:
    """Return the ways to compare, with what they need in a folder."""
    package, bare = folder / "package", folder / "bare"
    patterns = yaml.safe_load((ROOT / "handlers" / "packages.yml").read_text())["review"]
    for path in {path for pattern in patterns for path in ROOT.glob(pattern)}:
        for copy in (package, bare):
            target = copy / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    installed = Path(sklearn.__file__).parents[1]
    plain = folder / "layer"
    for name in _LAYER:
        if (installed / name).is_dir():
            shutil.copytree(
                installed / name, plain / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        elif (installed / name).exists():
            shutil.copy(installed / name, plain)
    compiled = [str(package), *(str(installed / name) for name in _LAYER)]
    subprocess.run([str(_interpreter()), "-m", "compileall", "-q", *compiled], check=True)
    sklearn_form = {"PREDICTOR": "sklearn"}
    return [
        Way("empty", _EMPTY, [], {}),
        Way("compiled", _HANDLER, [package], {"PREDICTOR": "compiled"}),
        Way("compiled, package without .pyc", _HANDLER, [bare], {"PREDICTOR": "compiled"}),
        Way("scikit-learn, layer with .pyc", _HANDLER, [package, installed], sklearn_form),
        Way("the article's way", _ARTICLE, [plain, installed], {}),
    ]


def start(way: Way, url: str, event: Any, client: bool) -> float:
    """Start a way once; return the seconds from the process's start to its end."""
    path = "".join(f"sys.path.insert({at}, {str(one)!r})\n" for at, one in enumerate(way.path))
    code = "import sys\n" + path + (_CLIENT if client else "") + way.code
    code += _CALL.format(event=event)
    environment = {
        **_KEYS,
        "AWS_DEFAULT_REGION": _KEYS["AWS_REGION"],
        "AWS_ENDPOINT_URL": url,
        "MODEL_BUCKET": _BUCKET,
        "MODEL_NAME": "review",
        "PYTHONDONTWRITEBYTECODE": "1",  # what is deployed is not written to
        "LOG_LEVEL": "ERROR",
        **way.environment,
    }
    begun = time.perf_counter()
    subprocess.run(
        [str(_interpreter()), "-c", code], env=environment, check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - begun


def measure(
    pipeline: Any, text: str, url: str, folder: Path, rounds: int
) -> dict[tuple[str, bool], list[float]]:
    """Publish a pipeline, start every way `rounds` times in turns, and return the seconds.

    Parameters
    ----------
    pipeline : estimator
        Fitted; one that is compiled.
    text : str
        What is predicted first.
    url : str
        Of S3, without the bucket in it.
    folder : Path
        For what the ways need, empty.
    rounds : int
        At least 1.

    Returns
    -------
    dict
        Seconds of each start by name, and whether AWS's runtime client was imported.
    """
    _publish(pipeline, url)
    event = {"body": json.dumps({"review_text": text}), "httpMethod": "POST", "headers": {}}
    every = [(way, client) for way in ways(folder) for client in (False, True)]
    times: dict[tuple[str, bool], list[float]] = {(way.name, client): [] for way, client in every}
    for way, client in every:  # once for the system's caches
        start(way, url, event, client)
    for _ in range(rounds):
        for way, client in every:
            times[way.name, client].append(start(way, url, event, client))
    return times


def _publish(pipeline: Any, url: str) -> None:
    os.environ.update(_KEYS)
    client = create_client(url, _KEYS["AWS_REGION"])
    client.create_bucket(Bucket=_BUCKET)
    content = write_artifact(pipeline)
    now = datetime.now(UTC).isoformat()
    pointer = Pointer("review", "1", sha256(content).hexdigest(), now, "compiled")
    ModelStore(client, _BUCKET, "review").publish(pointer, content, b"{}", expected=None)
    client.put_object(Bucket=_BUCKET, Key="article.pickle", Body=pickle.dumps(pipeline))


def _interpreter() -> Path:
    """Return the Python of the project's Lambda runtime, with AWS's client beside it."""
    return toolchain.RUNTIMES / f"python{python_version()}" / "bin" / "python"


@contextmanager
def _storage() -> Iterator[str]:
    """Start an emulator for its S3, and stop it."""
    toolchain.install_emulator()
    toolchain.install_runtime()
    started = emulator.start(emulator.free_port())
    try:
        yield started.url
    finally:
        emulator.stop(started)


def main() -> int:
    """Run it; see ``--help``."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.lib.bench_cold",
        description="Time cold starts of the article's pipeline, from the start of the process to "
        "the first prediction.",
    )
    parser.add_argument("--rounds", type=int, default=15, help="default: %(default)s")
    parser.add_argument("--data", help="reviews to train on, default: the sample")
    arguments = parser.parse_args()
    reviews = data.read(arguments.data)
    pipeline = pipelines.article(0).fit(reviews.texts, reviews.labels)
    with _storage() as url, tempfile.TemporaryDirectory() as folder:
        times = measure(pipeline, reviews.texts[0], url, Path(folder), arguments.rounds)
    OUT.print(table(times))
    return 0


def table(times: Mapping[tuple[str, bool], Sequence[float]]) -> Table:
    """Return medians, and their ratios to those of an empty function."""
    drawn = Table("way", "process ms", "ratio", "with runtime client ms", "ratio")
    medians = {key: statistics.median(found) for key, found in times.items()}
    for name in dict.fromkeys(name for name, _ in times):
        cells = []
        for client in (False, True):
            median = medians[name, client]
            cells += [f"{median * 1e3:.0f}", f"{median / medians['empty', client]:.2f}"]
        drawn.add_row(name, *cells)
    return drawn


if __name__ == "__main__":
    run_main(main)

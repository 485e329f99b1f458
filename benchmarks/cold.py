"""Cold starts: from the start of a process to its first prediction, with the model read from S3.

The variants take turns, so that other load on the machine affects all of them, and are compared
with an empty function. S3 is the emulator's. Functions and layer are the deployed ones, unpacked.
Each variant is timed in a bare process, and with AWS's runtime client imported first, as in every
Python Lambda.
"""

import json
import os
import shutil
import statistics
import subprocess
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import sklearn

from benchmarks import own, plots
from benchmarks.options import Options
from benchmarks.processes import FOLDER
from benchmarks.section import Section, Table, milliseconds, paired_ratio, times
from benchmarks.subject import REVIEW, Subject
from scripts.lib import toolchain
from scripts.lib.console import step
from scripts.lib.emulator import Emulator
from scripts.lib.project import ROOT, ScriptError, architecture, python_version
from scripts.lib.stack import client as aws_client
from scripts.lib.stack import credentials, serverless
from sklearn_api.store import Pointer, pointer_key, version_key

_TEXT = """\
Times are from the start of a process to the end of its first prediction. The model is read from
the emulator's S3. An *empty* function shows what Lambda's Python takes by itself. The *article's
way* is a layer with the same packages but without bytecode, a pickle, and boto3. The variants take
turns for {rounds} rounds. A ratio is the median over the rounds, relative to the empty function;
the last column is relative to the article's way. In the right half of the table, AWS's runtime
client was imported first, as in every Python Lambda."""
_BUCKET = "bench-cold"
_PICKLE = "article.joblib"
_EMPTY, _ARTICLE = "empty", "the article's way"
_CLIENT = "from awslambdaric import bootstrap, lambda_runtime_client\n"
_NOTHING = "handler = lambda event, context: {'statusCode': 200}\n"
_HANDLER = "from handlers.review.handler import handler\n"
# The article's way: read a pickle from S3 with boto3.
_UNPICKLE = f"""
import io, json, boto3, joblib
body = boto3.client('s3').get_object(Bucket='{_BUCKET}', Key='{_PICKLE}')['Body'].read()
pipeline = joblib.load(io.BytesIO(body))
def handler(event, context):
    text = json.loads(event['body'])['review_text']
    return {{'statusCode': 200, 'label': int(pipeline.predict([text])[0])}}
"""
_CALL = "assert handler({event!r}, None)['statusCode'] == 200\nimport os; os.write({done}, b'.')\n"

_Times = dict[tuple[str, bool], list[float]]
"""Seconds of each start, by the variant's name and whether AWS's runtime client was imported."""


@dataclass(frozen=True)
class Variant:
    """A function to start.

    Attributes
    ----------
    name : str
        Its name in the table.
    code : str
        Code that defines `handler`.
    path : sequence of Path
        Folders to import from, before Python's and AWS's own.
    environment : mapping
        Additional environment variables.
    """

    name: str
    code: str
    path: Sequence[Path]
    environment: Mapping[str, str]


def measure(subject: Subject, options: Options) -> Section:
    """Run the section."""
    folder = FOLDER / "cold"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with step("Cold starts") as done:
        own.install()
        with own.fresh_emulator() as emulator:
            variants = _variants(folder, emulator)
            _publish(subject, emulator.url)
            found = _time(variants, emulator.url, options.cold_rounds)
        done(f"{options.cold_rounds} rounds")
    shutil.rmtree(folder)
    names = list(dict.fromkeys(name for name, _ in found))
    rows = []
    for name in names:
        row = [name]
        for client in (False, True):
            seconds = found[name, client]
            row.append(milliseconds(statistics.median(seconds)))
            row.append(times(paired_ratio(seconds, found[_EMPTY, client])))
        row.append(times(paired_ratio(found[_ARTICLE, True], found[name, True])))
        rows.append(row)
    values = {name: statistics.median(found[name, True]) * 1e3 for name in names}
    figure = plots.bars(
        {"ms from the process's start to its first prediction, with runtime client": values},
        [name for name in names if name not in (_EMPTY, _ARTICLE)],
        columns=1,
    )
    columns = [
        *("variant", "process ms", "ratio", "with runtime client ms", "ratio"),
        "faster than the article's",
    ]
    return Section(
        "cold",
        "Cold starts",
        _TEXT.format(rounds=options.cold_rounds),
        [Table(columns, rows)],
        {"cold": (figure, "Bars of the times in the right half of the table.")},
    )


def _variants(folder: Path, emulator: Emulator) -> list[Variant]:
    """Return the variants to compare; write the files that they need to a folder."""
    copy = own.copy_sources()
    serverless(["package"], stage="local", url=emulator.url, cwd=copy)
    package, bare, layer = folder / "package", folder / "bare", folder / "layer"
    _unpack(copy / ".serverless" / "review.zip", package)
    shutil.copytree(package, bare, ignore=shutil.ignore_patterns("__pycache__"))
    _unpack(ROOT / ".local" / "layer" / f"python{python_version()}-{architecture()}.zip", layer)
    compiled, sklearn_form = {"MODEL_FORM": "compiled"}, {"MODEL_FORM": "sklearn"}
    return [
        Variant(_EMPTY, _NOTHING, [], {}),
        Variant("compiled", _HANDLER, [package], compiled),
        Variant("compiled, function without .pyc", _HANDLER, [bare], compiled),
        Variant(
            "scikit-learn, layer with .pyc", _HANDLER, [package, layer / "python"], sklearn_form
        ),
        Variant(_ARTICLE, _UNPICKLE, [_plain_layer(layer / "python", folder / "plain")], {}),
    ]


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)


def _plain_layer(layer: Path, plain: Path) -> Path:
    """Copy the layer's packages from the environment, without bytecode; return the folder."""
    installed = Path(sklearn.__file__).parents[1]
    plain.mkdir()
    for path in layer.iterdir():
        source = installed / path.with_suffix(".py" if path.suffix == ".pyc" else path.suffix).name
        if source.is_dir():
            shutil.copytree(
                source, plain / source.name, ignore=shutil.ignore_patterns("__pycache__")
            )
        elif source.exists():
            shutil.copy(source, plain)
    return plain


def _publish(subject: Subject, url: str) -> None:
    s3 = aws_client("s3", url)
    s3.create_bucket(Bucket=_BUCKET)
    content = subject.artifact.read_bytes()
    now = datetime.now(UTC).isoformat()
    pointer = Pointer("review", "1", sha256(content).hexdigest(), now)
    for key, body in (
        (version_key("review", "1", "model.zip"), content),
        (pointer_key("review"), pointer.to_json()),
        (_PICKLE, subject.pickle.read_bytes()),
    ):
        s3.put_object(Bucket=_BUCKET, Key=key, Body=body)


def _time(variants: Sequence[Variant], url: str, rounds: int) -> _Times:
    """Start every variant `rounds` times, in turns."""
    event = {"body": json.dumps({"review_text": REVIEW}), "httpMethod": "POST", "headers": {}}
    every = [(variant, client) for variant in variants for client in (False, True)]
    found: _Times = {(variant.name, client): [] for variant, client in every}
    for variant, client in every:  # once, to fill the system's caches
        _start(variant, url, event, client)
    for _ in range(rounds):
        for variant, client in every:
            found[variant.name, client].append(_start(variant, url, event, client))
    return found


def _start(variant: Variant, url: str, event: Any, client: bool) -> float:
    """Start a variant once; return the seconds until its first prediction."""
    path = "".join(f"sys.path.insert({at}, {str(one)!r})\n" for at, one in enumerate(variant.path))
    reading, writing = os.pipe()
    code = "import sys\n" + path + (_CLIENT if client else "") + variant.code
    code += _CALL.format(event=event, done=writing)
    environment = {
        **credentials(),
        "AWS_ENDPOINT_URL": url,
        "MODEL_BUCKET": _BUCKET,
        "MODEL_NAME": "review",
        "PYTHONDONTWRITEBYTECODE": "1",  # a deployed function is read-only
        "LOG_LEVEL": "ERROR",
        **variant.environment,
    }
    # The Python of the project's Lambda runtime, which has AWS's client and boto3.
    python = toolchain.RUNTIMES / f"python{python_version()}" / "bin" / "python"
    try:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(python), "-c", code],
            env=environment,
            stdout=subprocess.DEVNULL,
            pass_fds=(writing,),
        )
    finally:
        os.close(writing)
    done = os.read(reading, 1)
    seconds = time.perf_counter() - started
    os.close(reading)
    if process.wait() or not done:
        raise ScriptError(f"{variant.name}: the function failed; see the messages above")
    return seconds

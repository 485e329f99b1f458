"""The time that the handler itself takes, compared with the pipeline: without HTTP.

The section runs this module as a program, ``python -m benchmarks.handler``, in a separate process
with the environment variables of a Lambda.
"""

import base64
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import own, pickles, synthetic
from benchmarks.options import Options
from benchmarks.processes import FOLDER
from benchmarks.section import Section, Table, milliseconds, paired_ratio, times
from benchmarks.subject import MAX_BYTES, REVIEW, Subject
from scripts.lib import toolchain
from scripts.lib.console import step
from scripts.lib.project import ROOT
from scripts.lib.stack import credentials

_BASE = "`pipeline.predict([review])`, no handler"
_SAME = "the handler, as it is deployed, one review again and again"
_ALONE = "its prediction alone"
_WORDS = 170
_CALLS = 20  # in each turn
_TEXT = """\
Reviews of {words} words (about 1 KB) are passed to the handler as events of API Gateway, and
directly to its model, in one process and without HTTP. They consist of words of the training
reviews, with the frequencies of natural text. No review occurs twice, except in the row that says
so, because the compiled form caches the terms that it has seen. The rows take turns, {calls} calls
each, {rounds} times. A ratio is the median over the turns, relative to scikit-learn's own
`predict`. The handler's time includes everything that it does for a request: it reads and checks
the event, checks whether the model is still current, predicts, and writes the response and a log
line."""


def measure(subject: Subject, options: Options) -> Section:
    """Run the section."""
    own.install()
    rounds = 20 if options.quick else 100
    reviews = FOLDER / "reviews.json"
    texts = synthetic.reviews(subject.words, _WORDS, _CALLS * (rounds + 2))
    reviews.write_text(json.dumps(texts))
    with step("Handler time") as done:
        own.copy_sources()
        with own.fresh_emulator() as emulator:
            stack = own.deploy(emulator)
            own.publish(subject.folder, emulator)
            printed = toolchain.run(
                [
                    sys.executable,
                    "-m",
                    "benchmarks.handler",
                    str(subject.pickle),
                    str(reviews),
                    str(subject.artifact),
                ],
                "timing the handler",
                cwd=ROOT,
                **credentials(),
                AWS_ENDPOINT_URL=emulator.url,
                MODEL_BUCKET=stack.bucket,
                MODEL_NAME="review",
                PYTHONPATH=str(ROOT),
            )
        done(f"{rounds} rounds")
    found: dict[str, list[float]] = json.loads(printed.splitlines()[-1])
    rows = [
        [
            name,
            milliseconds(statistics.median(seconds)),
            times(paired_ratio(seconds, found[_BASE])),
        ]
        for name, seconds in sorted(found.items(), key=lambda item: statistics.median(item[1]))
    ]
    return Section(
        "handler",
        "Handler time",
        _TEXT.format(calls=_CALLS, rounds=rounds, words=_WORDS),
        [Table(["what", "median ms", "ratio"], rows)],
    )


def event(review: str) -> dict[str, Any]:
    """Return API Gateway's event for a request with a review."""
    body = json.dumps({"review_text": review}).encode()
    described: dict[str, Any] = json.loads((ROOT / "tests" / "events" / "review.json").read_text())
    return {**described, "body": base64.b64encode(body).decode()}


def turns(
    calls: Mapping[str, Callable[[str], object]], reviews: Sequence[str]
) -> dict[str, list[float]]:
    """Let functions take turns; return the median seconds of a call, for each turn.

    Parameters
    ----------
    calls : mapping
        Functions of a review, by name.
    reviews : sequence of str
        All functions are called with every review. A turn has `_CALLS` of them, and the first two
        turns are a warm-up.
    """
    found: dict[str, list[float]] = {name: [] for name in calls}
    for start in range(0, len(reviews), _CALLS):
        for name, call in calls.items():
            taken = []
            for review in reviews[start : start + _CALLS]:
                started = time.perf_counter()
                call(review)
                taken.append(time.perf_counter() - started)
            found[name].append(statistics.median(taken))
    return {name: seconds[2:] for name, seconds in found.items()}


def main() -> int:
    """Time the handler with both forms of the model, and the pipeline; print seconds as JSON."""
    from sklearn_api.load import load_model
    from sklearn_api.prediction import prediction_endpoint

    def handler(form: str) -> Callable[[str], object]:
        os.environ["MODEL_FORM"] = form
        made = prediction_endpoint()
        answer = made(events[REVIEW], None)
        assert answer["statusCode"] == 200, answer
        return lambda review: made(events[review], None)

    reviews = json.loads(Path(sys.argv[2]).read_text())
    events = {review: event(review) for review in [REVIEW, *reviews]}
    pipeline = pickles.read(Path(sys.argv[1]))
    deployed = handler("auto")
    content = Path(sys.argv[3]).read_bytes()
    model = load_model(content, MAX_BYTES)
    calls: dict[str, Callable[[str], object]] = {
        "the handler, as it is deployed": deployed,
        _SAME: lambda review: deployed(REVIEW),
        _ALONE: lambda review: model.predict([review]),
        "the handler, predicting with scikit-learn": handler("sklearn"),
        _BASE: lambda review: pipeline.predict([review]),
    }
    print(json.dumps(turns(calls, reviews)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Measure the recipes on public data, and check their bars.

On the original split of the Large Movie Review Dataset, this prints and checks what `docs/model.md`
promises about accuracy, calibration, size, time and the compiled form; on other data sets, the bars
of `benchmarks.bars`. The exit status is 1 if one of them is missed. The data sets are not part of
the project.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.bars import BARS, check, find
from scripts.lib.console import ERR, OUT, run_main, step
from scripts.lib.project import ROOT, ScriptError
from sklearn_api.load import load_model, load_sklearn_model
from sklearn_api.settings import Settings
from training.artifact.write import TOLERANCE
from training.dataset import Dataset, read_dataset, read_test
from training.options import Options

IMDB = "imdb"
TRAIN, TEST = "imdb_train", "imdb_test"

MIN_ACCURACY = 0.920
MAX_SECONDS = 90
MAX_SIZE = 6_000_000
MAX_LOSS = 0.001
MAX_ECE = 0.02


@dataclass(frozen=True)
class Run:
    """A training: its manifest, duration in seconds, and peak memory in bytes."""

    manifest: dict[str, Any]
    seconds: float
    memory: int

    @property
    def metrics(self) -> dict[str, Any]:
        """The metrics on the test split."""
        found: dict[str, Any] = self.manifest["metrics"]
        return found


def train(data: Path, test: Path, recipe: str, output: Path) -> Run:
    """Train with the command line, in a separate process."""
    started = time.perf_counter()
    result = subprocess.run(
        [
            sys.executable, "-m", "training", "train", "--recipe", recipe, "--data", str(data),
            "--test-data", str(test), "--output", str(output),
        ],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    if result.returncode:
        raise ScriptError(f"training failed: {result.stderr.strip()}")
    # This is the largest child so far, so recipes have to be trained in order of their memory.
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return Run(json.loads((output / "manifest.json").read_text()), seconds, memory)


@dataclass(frozen=True)
class Forms:
    """How the predictions of a model's two forms differ.

    Attributes
    ----------
    texts : int
        Number of texts.
    labels : int
        Number of texts whose labels differ.
    score : float
        The largest difference between two scores.
    """

    texts: int
    labels: int
    score: float

    @property
    def same(self) -> bool:
        """Whether all labels are equal, and scores within the tolerance for publishing."""
        return self.labels == 0 and self.score <= TOLERANCE


def compare_forms(artifact: bytes, texts: list[str]) -> Forms:
    """Predict every text with both forms of a model, and compare."""
    limit = Settings("bucket", "name").max_artifact_bytes
    expected = load_sklearn_model(artifact, limit).predict(texts)
    found = load_model(artifact, limit, "compiled").predict(texts)
    pairs = list(zip(found, expected, strict=True))
    return Forms(
        len(pairs),
        sum(one.value != other.value for one, other in pairs),
        max(abs((one.score or 0.0) - (other.score or 0.0)) for one, other in pairs),
    )


def unpruned(reviews: Dataset, others: Dataset) -> tuple[float, int]:
    """Return accuracy and number of terms of the recipe `best` without pruning of terms."""
    from training.recipes.texts import BEST  # it imports scikit-learn, which --help does not need

    recipe = replace(BEST, terms=None)
    counts, terms = recipe.count(reviews.rows)
    pipeline = recipe.pipeline(recipe.estimator(0).fit(counts, reviews.targets), terms)
    return float((pipeline.predict(others.rows) == others.targets).mean()), len(terms)


def main() -> int:
    """Run the script; see ``--help``."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench-model",
        description="Measure the recipes on public data: print each figure, its bar and whether it "
        "is met. On the original split of the Large Movie Review Dataset, train each recipe, print "
        "accuracy, calibration, size and time, compare the compiled form with scikit-learn on all "
        "reviews, and check what docs/model.md promises; that takes five minutes and 4 GB. A data "
        "set without files is skipped. This leaves no files.",
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"data sets, of {', '.join((IMDB, *BARS))}; default: all of them",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help=f"folder that holds, itself or in other folders, {TRAIN}.csv.xz and {TEST}.csv.xz "
        "(columns text and label), trec_train.csv and trec_test.csv (likewise), telco.csv and "
        "diamonds.csv",
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in (IMDB, *BARS)]
    if unknown:
        parser.error(f"there is no data set {unknown[0]}; there are {', '.join((IMDB, *BARS))}")
    names = options.names or [IMDB, *BARS]
    met = [check(BARS[name], options.data) for name in names if name != IMDB]
    if IMDB in names:
        met.append(_measure_reviews(options.data))
    if all(one is None for one in met):
        raise ScriptError(f"{options.data} has none of the files; --help names them")
    return 1 if False in met else 0


def _measure_reviews(folder: Path) -> bool | None:
    """Measure on film reviews; return whether all promises hold, None if a file is missing."""
    data, test = find(folder, TRAIN), find(folder, TEST)
    if data is None or test is None:
        OUT.print(
            f"- Large Movie Review Dataset: skipped, {folder} has no {TRAIN}.csv.xz and "
            f"{TEST}.csv.xz (csv, jsonl and parquet work too), each with 25,000 reviews",
            markup=False,
        )
        return None
    runs: dict[str, Run] = {}
    forms: dict[str, Forms] = {}
    with tempfile.TemporaryDirectory(prefix="bench-model-") as temporary:
        for name, recipe in (("article", "article"), ("best", "best"), ("best again", "best")):
            with step(f"Training {name}") as done:
                runs[name] = train(data, test, recipe, Path(temporary) / name)
                done(f"accuracy {runs[name].metrics['accuracy']:.4f}")
        options = Options(str(data), test_source=str(test))
        reviews = read_dataset(options)
        others = read_test(options, reviews)
        for name in ("article", "best"):
            with step(f"Comparing both forms of {name}") as done:
                artifact = (Path(temporary) / name / "model.zip").read_bytes()
                forms[name] = compare_forms(artifact, reviews.rows + others.rows)
                done(f"{forms[name].texts:,} reviews")
    with step("Training best without pruning") as done:
        accuracy, terms = unpruned(reviews, others)
        done(f"accuracy {accuracy:.4f}, {terms:,} terms")
    OUT.print(_table(runs["article"], runs["best"], accuracy, terms))
    OUT.print(
        "The time is that of the whole training: start of Python, reading, fitting, calibration, "
        "evaluation and report. The ratio is relative to the article's recipe.",
        style="dim",
    )
    return _hold(runs, accuracy, forms)


def _table(article: Run, best: Run, unpruned_accuracy: float, unpruned_terms: int) -> Table:
    table = Table("on the test split", title="Large Movie Review Dataset", title_style="")
    for name in ("article", "best", "best, all terms"):
        table.add_column(name, justify="right")
    names = {
        "accuracy": "accuracy",
        "accuracy_unseen": "accuracy without test rows that are in train",
        "f1": "F1",
        "precision": "precision",
        "recall": "recall",
        "roc_auc": "area under ROC",
        "ece": "expected calibration error",
        "brier": "Brier score",
    }
    runs = (article, best)
    for key, name in names.items():
        last = f"{unpruned_accuracy:.4f}" if key == "accuracy" else ""
        table.add_row(name, *(f"{run.metrics[key]:.4f}" for run in runs), last)
    terms = [run.manifest["training"]["terms"] for run in runs]
    table.add_row("terms", *(f"{number:,}" for number in (*terms, unpruned_terms)))
    table.add_row("artifact, MB", *(f"{run.manifest['size'] / 1e6:.2f}" for run in runs))
    table.add_row("seconds", *(f"{run.seconds:.0f}" for run in runs))
    table.add_row("ratio", *(f"{run.seconds / article.seconds:.1f}" for run in runs))
    table.add_row("memory, GB", *(f"{run.memory / 1e9:.2f}" for run in runs))
    return table


def _hold(runs: dict[str, Run], unpruned_accuracy: float, forms: dict[str, Forms]) -> bool:
    """Print each promise and whether it is kept; return whether all are."""
    best, again = runs["best"], runs["best again"]
    lost = unpruned_accuracy - best.metrics["accuracy"]
    promises = {
        f"article: accuracy {runs['article'].metrics['accuracy']:.4f}, published as 0.877": (
            round(runs["article"].metrics["accuracy"], 3) == 0.877
        ),
        f"accuracy {best.metrics['accuracy']:.4f}, at least {MIN_ACCURACY}": (
            best.metrics["accuracy"] >= MIN_ACCURACY
        ),
        f"{best.metrics['rows_seen']} test rows are in train; accuracy without them "
        f"{best.metrics['accuracy_unseen']:.4f}, at least {MIN_ACCURACY}": (
            best.metrics["accuracy_unseen"] >= MIN_ACCURACY
        ),
        f"calibration error {best.metrics['ece']:.4f}, under {MAX_ECE}": (
            best.metrics["ece"] < MAX_ECE
        ),
        f"artifact of {best.manifest['size']:,} bytes, under {MAX_SIZE:,}": (
            best.manifest["size"] < MAX_SIZE
        ),
        f"accuracy lost by pruning {lost:+.4f}, at most {MAX_LOSS}": lost <= MAX_LOSS,
        f"{best.seconds:.0f} seconds, under {MAX_SECONDS}": best.seconds < MAX_SECONDS,
        "the same sha256 when trained again": best.manifest["sha256"] == again.manifest["sha256"],
        **{
            f"{name}: on {found.texts:,} reviews, the compiled form and scikit-learn differ in "
            f"{found.labels} labels, and in scores by at most {found.score:.0e}": found.same
            for name, found in forms.items()
        },
    }
    for text, kept in promises.items():
        (OUT if kept else ERR).print(f"{'✓' if kept else '✗'} {text}", markup=False)
    return all(promises.values())


if __name__ == "__main__":
    run_main(main)

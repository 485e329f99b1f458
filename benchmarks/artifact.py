"""Compare an artifact with a pickle of the same pipeline: size and time to load.

The two take turns in one process. The ratio of their medians is what matters; the figures
themselves depend on the machine. Only pickles that the program has just made are loaded.
"""

import argparse
import gc
import pickle
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from scripts.lib.console import OUT, run_main
from sklearn_api.load import load_sklearn_model
from training.artifact.write import write_artifact
from training.dataset import read_dataset
from training.options import Options
from training.signature import text_signature

_MAX_BYTES = 2**31


@dataclass(frozen=True)
class Comparison:
    """Measurements of one pipeline in both formats.

    Attributes
    ----------
    artifact_bytes, pickle_bytes : int
        The sizes.
    artifact_seconds, pickle_seconds : float
        The medians of the times to load, after the libraries have been imported.
    """

    artifact_bytes: int
    pickle_bytes: int
    artifact_seconds: float
    pickle_seconds: float

    @property
    def load_ratio(self) -> float:
        """The artifact's time to load, as a multiple of the pickle's."""
        return self.artifact_seconds / self.pickle_seconds

    @property
    def size_ratio(self) -> float:
        """The artifact's size, as a multiple of the pickle's."""
        return self.artifact_bytes / self.pickle_bytes


def compare(pipeline: Any, rounds: int) -> Comparison:
    """Store a fitted pipeline in both formats, and load the two in turns."""
    artifact = write_artifact(pipeline, text_signature(pipeline.classes_.tolist())).content
    pickled = pickle.dumps(pipeline, protocol=pickle.HIGHEST_PROTOCOL)
    times: tuple[list[float], list[float]] = ([], [])
    loads: tuple[Callable[[], Any], ...] = (
        lambda: load_sklearn_model(artifact, _MAX_BYTES),
        lambda: pickle.loads(pickled),  # noqa: S301  # it was made above
    )
    for _ in range(rounds + 1):
        for kept, load in zip(times, loads, strict=True):
            gc.collect()
            started = time.perf_counter()
            loaded = load()
            kept.append(time.perf_counter() - started)
            del loaded  # not timed
    artifact_times, pickle_times = (statistics.median(one[1:]) for one in times)
    return Comparison(len(artifact), len(pickled), artifact_times, pickle_times)


def pipelines() -> dict[str, Pipeline]:
    """Return the pipelines to compare, by their names in the table."""
    return {
        "words": make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)),
        "pairs": make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2), LinearSVC(random_state=0)
        ),
        "forest": make_pipeline(
            TfidfVectorizer(max_features=2000),
            RandomForestClassifier(100, min_samples_leaf=5, random_state=0),
        ),
    }


def main() -> int:
    """Run the script; see ``--help``."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.artifact", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--data", help="reviews, as for scripts/up (default: the sample reviews)")
    parser.add_argument("--rounds", type=int, default=21, help="(default: %(default)s)")
    options = parser.parse_args()
    reviews = read_dataset(Options(options.data))
    table = Table(
        "pipeline", "terms", "artifact MB", "pickle MB", "ratio", "ms", "pickle ms", "ratio"
    )
    for name, pipeline in pipelines().items():
        with OUT.status(f"{name} …"):
            pipeline.fit(reviews.rows, reviews.targets)
            found = compare(pipeline, options.rounds)
        table.add_row(
            name,
            f"{len(pipeline[0].vocabulary_):,}",
            f"{found.artifact_bytes / 1e6:.2f}",
            f"{found.pickle_bytes / 1e6:.2f}",
            f"{found.size_ratio:.2f}",
            f"{found.artifact_seconds * 1e3:.1f}",
            f"{found.pickle_seconds * 1e3:.1f}",
            f"{found.load_ratio:.2f}",
        )
    OUT.print(table)
    return 0


if __name__ == "__main__":
    run_main(main)

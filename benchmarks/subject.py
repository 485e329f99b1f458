"""The subject of the benchmark: the model that every contender serves, and its reviews."""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import pickles
from benchmarks.processes import FOLDER
from scripts.lib import toolchain
from scripts.lib.project import ROOT
from sklearn_api.load import load_sklearn_model
from training.dataset import read_dataset
from training.options import Options

REVIEW = "A slow first half, but the ending is worth every minute of it. " * 16
"""A review of 1 KB, for every measurement that does not state another length."""

MAX_BYTES = 2**31


@dataclass(frozen=True)
class Subject:
    """A trained model, as an artifact for this project and as a pickle for its peers.

    Attributes
    ----------
    folder : Path
        Artifact and manifest, as `python -m training` writes and publishes them.
    other : Path
        The same for a second model, trained with another seed, which can replace the first.
    pickle : Path
        The same fitted pipeline, written by joblib.
    pipeline : estimator
        The same fitted pipeline, in memory.
    reviews : list of str
        Reviews for which all contenders have to predict the pipeline's labels.
    words : list of str
        The words of all training reviews, the most frequent first.
    """

    folder: Path
    other: Path
    pickle: Path
    pipeline: Any
    reviews: list[str]
    words: list[str]

    @property
    def artifact(self) -> Path:
        """The path of the artifact."""
        return self.folder / "model.zip"

    @property
    def manifest(self) -> dict[str, Any]:
        """The artifact's manifest."""
        return dict(json.loads((self.folder / "manifest.json").read_text()))

    def labels(self) -> list[int]:
        """Return the labels that the pipeline predicts for `reviews`."""
        return [int(label) for label in self.pipeline.predict(self.reviews)]


def train(source: str | None) -> Subject:
    """Train two models as ``scripts/up`` does, unless their inputs are unchanged."""
    folder, other = FOLDER / "model", FOLDER / "other-model"
    for seed, target in enumerate((folder, other)):
        _train(target, source, seed)
    content = (folder / "model.zip").read_bytes()
    pipeline = load_sklearn_model(content, MAX_BYTES).pipeline
    texts = list(read_dataset(Options(source)).rows)
    step = max(1, len(texts) // 20)
    pickle = FOLDER / "model.joblib"
    pickles.write(pipeline, pickle)
    words = [word for word, _ in Counter(" ".join(texts).split()).most_common()]
    return Subject(folder, other, pickle, pipeline, [REVIEW, *texts[::step][:20]], words)


def _train(target: Path, source: str | None, seed: int) -> None:
    options = ["--data", source] if source else []
    toolchain.run(
        [
            *(sys.executable, "-m", "training", "train", "--if-changed", "--seed", str(seed)),
            *("--output", str(target), *options),
        ],
        "training",
        cwd=Path.cwd(),  # a path in `source` is relative to it
        PYTHONPATH=str(ROOT),
    )

"""The one model that every contender serves, and the reviews that all of them are sent."""

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
from training import data

REVIEW = "A slow first half, but the ending is worth every minute of it. " * 16
"""1 KB, as in every measurement that names no other length."""

MAX_BYTES = 2**31


@dataclass(frozen=True)
class Subject:
    """A trained model, in the form of this project and in that of its peers.

    Attributes
    ----------
    folder : Path
        Artifact and manifest, as `python -m training` writes and publishes them.
    other : Path
        Another one, trained with another seed, to replace it with.
    pickle : Path
        The same fitted pipeline, as joblib writes it.
    pipeline : estimator
        The same, in memory.
    reviews : list of str
        To ask contenders for, so that it is known that they serve the same.
    words : list of str
        Of all reviews that it was trained on, the most frequent first.
    """

    folder: Path
    other: Path
    pickle: Path
    pipeline: Any
    reviews: list[str]
    words: list[str]

    @property
    def artifact(self) -> Path:
        """The artifact's file."""
        return self.folder / "model.zip"

    @property
    def manifest(self) -> dict[str, Any]:
        """What is known about the artifact."""
        return dict(json.loads((self.folder / "manifest.json").read_text()))

    def labels(self) -> list[int]:
        """Return what the pipeline itself says of the reviews."""
        return [int(label) for label in self.pipeline.predict(self.reviews)]


def train(source: str | None) -> Subject:
    """Train a model as ``scripts/up`` does, unless what is there would come out again."""
    folder, other = FOLDER / "model", FOLDER / "other-model"
    for seed, target in enumerate((folder, other)):
        _train(target, source, seed)
    content = (folder / "model.zip").read_bytes()
    pipeline = load_sklearn_model(content, MAX_BYTES).pipeline
    texts = list(data.read(source).texts)
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
        cwd=Path.cwd(),  # where a path in `source` begins
        PYTHONPATH=str(ROOT),
    )

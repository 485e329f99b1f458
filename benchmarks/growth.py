"""How load time, memory and latency grow with the vocabulary, the review and the batch."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import pickles, plots, synthetic
from benchmarks.options import Options
from benchmarks.processes import FOLDER
from benchmarks.section import Section, Table, megabytes, milliseconds, paired_ratio, times
from benchmarks.subject import MAX_BYTES, Subject
from scripts.lib.console import step
from scripts.lib.project import ROOT, ScriptError
from sklearn_api.load import load_model
from training.artifact.write import write_artifact
from training.signature import text_signature

COMPILED, ARTIFACT, PICKLE = plots.COLOURS
_FORMS = {COMPILED: "compiled", ARTIFACT: "sklearn", PICKLE: "pickle"}
_PREDICTIONS = 30  # in each fresh process, each of a different review
_WORDS = 200  # in a review, unless its length grows
_TERMS = 100_000  # in the vocabulary, unless it grows
_LENGTHS = (10, 30, 100, 300, 1000, 3000, 10_000)
_BATCHES = (1, 3, 10, 30, 100, 300, 1000)
_TEXT = """\
A TF-IDF and linear SVM pipeline with made-up vocabularies, in three forms: compiled (plain Python,
the one that is served), scikit-learn's pipeline from the artifact, and the same from a pickle.

**Vocabulary.** Each form is loaded in fresh processes, {rounds} for each size, in turns. Load time
starts after the libraries are imported (see cold starts above) and the file is read. Memory is the
peak of the whole process. Latency is that of a review of {words} words; no review is predicted
twice. scikit-learn takes longer from the artifact than from the pickle, because the project also
calls it for the score, and each call is a pass over the text.

**Review length and batch.** {terms:,} terms, in one process, in turns. scikit-learn gets a whole
batch at once, as its API allows. The compiled form gets one review after the other, as requests
arrive. Reviews of a batch have {words} words."""
_Found = dict[tuple[int, str], list[dict[str, float]]]


def measure(subject: Subject, options: Options) -> Section:
    """Run the section. It makes its own models and does not use the `subject`."""
    folder = FOLDER / "growth"
    folder.mkdir(parents=True, exist_ok=True)
    terms = synthetic.vocabulary(max(options.vocabularies))
    files: dict[int, tuple[Path, Path]] = {}
    for size in options.vocabularies:
        with step(f"A model of {size:,} terms") as done:
            files[size] = _write(folder, terms[:size])
            done(
                ", ".join(
                    f"{file.name} {megabytes(file.stat().st_size)} MB" for file in files[size]
                )
            )
    with step("Loading them in fresh processes"):
        found = _load(files, terms, options.growth_rounds)
    calls = _in_memory(*files[_TERMS])
    rounds = 4 if options.quick else 12
    short = terms[:_TERMS]
    with step("Reviews of 10 to 10,000 words"):
        lengths = _race(
            calls, lambda size, seed: [synthetic.review(short, size, seed)], _LENGTHS, rounds
        )
    texts = synthetic.reviews(short, _WORDS, max(_BATCHES) * (rounds + 1))
    with step("Batches of 1 to 1,000 reviews"):
        batches = _race(
            calls,
            lambda size, number: texts[number * max(_BATCHES) :][:size],
            _BATCHES,
            rounds,
        )
    alt = "The table's figures as lines over the {}, both axes logarithmic."
    return Section(
        "growth",
        "Growth",
        _TEXT.format(rounds=options.growth_rounds, words=_WORDS, terms=_TERMS),
        [
            _vocabulary_table(found, files),
            _race_table("words", lengths, "median ms"),
            _race_table("reviews", batches, "median ms of the batch"),
        ],
        {
            "vocabulary": (_vocabulary_plot(found), alt.format("number of terms")),
            "length": (_race_plot(lengths, "ms", "words of a review"), alt.format("length")),
            "batch": (_race_plot(batches, "ms of the batch", "reviews"), alt.format("batch size")),
        },
    )


def _write(folder: Path, terms: Sequence[str]) -> tuple[Path, Path]:
    """Store a model in both formats; return the paths of the artifact and the pickle."""
    pipeline = synthetic.pipeline(terms)
    artifact = folder / f"{len(terms)}.zip"
    artifact.write_bytes(
        write_artifact(pipeline, text_signature(pipeline.classes_.tolist())).content
    )
    pickled = folder / f"{len(terms)}.joblib"
    pickles.write(pipeline, pickled)
    return artifact, pickled


def _load(files: dict[int, tuple[Path, Path]], terms: Sequence[str], rounds: int) -> _Found:
    found: _Found = {}
    for _ in range(rounds):
        for size, (artifact, pickled) in files.items():
            some = synthetic.reviews(terms[:size], _WORDS, _PREDICTIONS)
            for name, form in _FORMS.items():
                file = pickled if form == "pickle" else artifact
                result = subprocess.run(
                    [sys.executable, "-m", "benchmarks.loading", form, str(file)],
                    cwd=ROOT,
                    input=json.dumps(some),
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if result.returncode:
                    raise ScriptError(f"{name}, {size:,} terms: {result.stderr[-500:]}")
                found.setdefault((size, name), []).append(json.loads(result.stdout))
    return found


_Call = Callable[[Sequence[str]], object]
_Race = dict[int, tuple[list[float], list[float]]]


def _in_memory(artifact: Path, pickled: Path) -> tuple[_Call, _Call]:
    """Return two functions that predict for texts: with the compiled form and with scikit-learn."""
    content = artifact.read_bytes()
    model = load_model(content, MAX_BYTES, "compiled")
    return model.predict, pickles.read(pickled).predict


def _race(
    calls: tuple[_Call, _Call],
    texts: Callable[[int, int], Sequence[str]],
    sizes: Sequence[int],
    rounds: int,
) -> _Race:
    """Let both functions predict for texts of each size, in turns; return the seconds of each.

    Parameters
    ----------
    calls : tuple of callable
        The two functions.
    texts : callable
        Makes texts from a size and the number of the round. They differ in each round, since a form
        may cache the terms that it has seen.
    sizes : sequence of int
        Sizes in each round.
    rounds : int
        How many rounds are timed. One more runs first, as a warm-up.
    """
    found: _Race = {size: ([], []) for size in sizes}
    for number in range(rounds + 1):
        for size in sizes:
            some = texts(size, number)
            for call, kept in zip(calls, found[size], strict=True):
                started = time.perf_counter()
                call(some)
                if number:
                    kept.append(time.perf_counter() - started)
    return found


def _vocabulary_table(found: _Found, files: dict[int, tuple[Path, Path]]) -> Table:
    rows = []
    for (size, name), results in found.items():
        file = files[size][name == PICKLE]
        row = [f"{size:,} terms, {name}", megabytes(file.stat().st_size)]
        for what, shown in (
            ("load", milliseconds),
            ("memory", megabytes),
            ("predict", milliseconds),
        ):
            values = [result[what] for result in results]
            base = [result[what] for result in found[size, COMPILED]]
            row += [shown(median(values)), times(paired_ratio(values, base))]
        rows.append(row)
    rows.sort(key=lambda row: int(row[0].split(" ")[0].replace(",", "")))
    return Table(
        ["model", "file MB", "load ms", "ratio", "peak memory MB", "ratio", "latency ms", "ratio"],
        rows,
    )


def _vocabulary_plot(found: _Found) -> Any:
    panels = {}
    for title, what, factor in (
        ("load time, ms", "load", 1e3), ("peak memory, MB", "memory", 1e-6),
        ("latency, ms", "predict", 1e3),
    ):  # fmt: skip
        panels[title] = {
            name: {
                float(size): median(result[what] for result in results) * factor
                for (size, other), results in found.items()
                if other == name
            }
            for name in _FORMS
        }
    return plots.lines(panels, "terms in the vocabulary")


def _race_table(what: str, race: _Race, unit: str) -> Table:
    rows = [
        [f"{size:,}", milliseconds(median(one)), milliseconds(median(other)),
         times(paired_ratio(other, one))]
        for size, (one, other) in race.items()
    ]  # fmt: skip
    return Table([what, f"compiled, {unit}", f"scikit-learn, {unit}", "ratio"], rows)


def _race_plot(race: _Race, unit: str, across: str) -> Any:
    series = {
        name: {float(size): median(pair[at]) * 1e3 for size, pair in race.items()}
        for at, name in enumerate((COMPILED, PICKLE))
    }
    return plots.lines({unit: series}, across)

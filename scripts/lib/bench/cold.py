"""Cold starts, three ways and their variants; `scripts.lib.bench_cold` measures them."""

import shutil
import statistics

from scripts.lib import bench_cold
from scripts.lib.bench import own, plots
from scripts.lib.bench.model import REVIEW, Model
from scripts.lib.bench.options import Options
from scripts.lib.bench.processes import FOLDER
from scripts.lib.bench.report import Section, Table, milliseconds, paired_ratio, times
from scripts.lib.console import step

_TEXT = """\
From the start of a process to the end of its first prediction, the model read from S3, which the
emulator plays. An *empty* function is what Lambda's Python takes by itself. The *article's way* is
a layer without bytecode, a pickle, and boto3. Ways take turns, {rounds} rounds; ratios are the
medians of each round's, the empty function being 1. On the right, AWS's runtime client has been
imported before, as in every Python Lambda."""


def measure(model: Model, options: Options) -> Section:
    """Run the section."""
    folder = FOLDER / "cold"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with step("Cold starts") as done:
        own.install()
        with own.started() as emulator:
            found = bench_cold.measure(
                model.pipeline, REVIEW, emulator.url, folder, options.cold_rounds
            )
        done(f"{options.cold_rounds} rounds")
    shutil.rmtree(folder)
    names = list(dict.fromkeys(name for name, _ in found))
    rows = []
    for name in names:
        row = [name]
        for client in (False, True):
            seconds = found[name, client]
            row.append(milliseconds(statistics.median(seconds)))
            row.append(times(paired_ratio(seconds, found["empty", client])))
        rows.append(row)
    values = {name: statistics.median(found[name, True]) * 1e3 for name in names}
    figure = plots.bars(
        {"ms from the process's start to its first prediction, with runtime client": values},
        [name for name in names if name.startswith(("compiled", "scikit-learn"))],
        columns=1,
    )
    return Section(
        "cold",
        "Cold starts",
        _TEXT.format(rounds=options.cold_rounds),
        [Table(["way", "process ms", "ratio", "with runtime client ms", "ratio"], rows)],
        {"cold": (figure, "Bars of the times in the right half of the table.")},
    )

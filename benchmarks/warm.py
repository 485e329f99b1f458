"""Warm requests: latency, throughput and memory of this project and of its peers."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks import own, plots
from benchmarks.contender import Contender, Key, alternate, running
from benchmarks.load_generator import Measured
from benchmarks.options import Options
from benchmarks.peers import bentoml, fastapi, ministack, mlserver, serverless_offline
from benchmarks.processes import memory
from benchmarks.section import Section, Table, megabytes, milliseconds, paired_ratio, times
from benchmarks.subject import Subject
from scripts.lib.project import ScriptError

PEERS: tuple[Contender, ...] = (
    fastapi.PEER, mlserver.PEER, bentoml.PEER, serverless_offline.PEER, ministack.PEER
)  # fmt: skip
CLIENTS = (1, 4, 16)
HEALTH = f"{own.NAME}, GET /health"
_TEXT = """\
Every request has the same review of 1 KB, so the compiled form has cached its terms; see the
handler's time for other reviews. A client in a separate process sends them over connections that
stay open. All servers run at the same time and take turns for {rounds} rounds. In each round, every
server gets up to {requests} requests, for at most 3 s, from each number of clients. Figures are
medians over the rounds. A ratio is the median over the rounds, relative to this project's
`POST /review`. Before the measurement, every server has to predict the pipeline's labels for
{reviews} reviews.

The servers do different amounts of work for a request. FastAPI, MLServer and BentoML call the
pipeline in their own process, without a key, permissions or isolation. The others emulate API
Gateway and Lambda, to different degrees. Memory is that of a server and all its child processes,
with shared pages divided among them (PSS). With {most} clients, emulators start up to {most}
execution environments, as AWS does."""


def measure(subject: Subject, options: Options) -> Section:
    """Run the section.

    Raises
    ------
    ScriptError
        This project itself could not be measured.
    """
    contenders = [own.CONTENDER, *(PEERS if options.peers else ())]
    with running(contenders, subject) as found:
        if own.NAME not in found.servers:
            raise ScriptError(f"this project's stack: {found.failures[own.NAME]}")
        idle = {name: memory(server.pid) for name, server in found.servers.items()}
        server = found.servers[own.NAME]
        health = replace(
            server, url=server.url.replace("/review", "/health"), body=lambda _: b"", method="GET"
        )
        measured, failures = alternate(
            {**found.servers, HEALTH: health}, CLIENTS, options.load_rounds, options.requests
        )
        if own.NAME in failures:
            raise ScriptError(f"this project's stack, {failures[own.NAME]}")
        busy = {name: memory(server.pid) for name, server in found.servers.items()}
    rows = [
        [
            name,
            f"{found.servers[name].ready:.1f}",
            megabytes(idle[name]),
            times(idle[name] / idle[own.NAME]),
            megabytes(busy[name]),
            times(busy[name] / busy[own.NAME]),
        ]
        for name in idle
    ]
    columns = ["server", "start to first prediction s", "memory MB", "ratio", "after the load MB"]
    memories = Table([*columns, "ratio"], rows)
    about = {one.name: one.about for one in contenders}
    text = _TEXT.format(
        rounds=options.load_rounds, requests=options.requests, reviews=len(subject.reviews),
        most=max(CLIENTS),
    )  # fmt: skip
    alt = "Bars of median latency and throughput of each server; the tables hold the figures."
    return Section(
        "warm",
        "Warm requests",
        text,
        [table(measured), memories],
        {"warm": (plots.bars(panels(measured), (own.NAME, HEALTH), columns=3), alt)},
        {**found.failures, **failures},
        {name: f"{version}: {about[name]}" for name, version in found.versions.items()},
    )


def table(measured: Mapping[Key, Sequence[Measured]]) -> Table:
    """Return the table of figures, for each number of clients the fastest server first."""
    rows = []
    for count in dict.fromkeys(count for _, count in measured):
        base = measured[own.NAME, count]
        lines = {name: found for (name, at), found in measured.items() if at == count}
        for name, found in sorted(lines.items(), key=lambda item: _latency(item[1])):
            paired = base[: len(found)]
            rows.append([
                name,
                str(count),
                milliseconds(_latency(found)),
                times(paired_ratio([*map(median, found)], [*map(median, paired)])),
                milliseconds(statistics.median(map(worst, found))),
                times(paired_ratio([*map(worst, found)], [*map(worst, paired)])),
                f"{_throughput(found):,.0f}",
                times(paired_ratio([*map(rate, found)], [*map(rate, paired)])),
            ])  # fmt: skip
    columns = ["server", "clients", "median ms", "ratio", "p99 ms", "ratio", "requests/s", "ratio"]
    return Table(columns, rows)


def panels(measured: Mapping[Key, Sequence[Measured]]) -> dict[str, dict[str, float]]:
    """Return the values of the plot, in each panel the best server first."""
    counts = list(dict.fromkeys(count for _, count in measured))
    drawn: dict[str, dict[str, float]] = {}
    for title, value, descending in (
        ("median ms", lambda found: _latency(found) * 1e3, False),
        ("requests/s", _throughput, True),
    ):
        for count in counts:
            values = {name: value(found) for (name, at), found in measured.items() if at == count}
            best = sorted(values.items(), key=lambda item: item[1], reverse=descending)
            drawn[f"{title}, {count} client{'s' if count > 1 else ''}"] = dict(best)
    return drawn


def median(one: Measured) -> float:
    """Return the median latency of one round, in seconds."""
    return statistics.median(one.times)


def worst(one: Measured) -> float:
    """Return the 99th percentile of one round's latencies, in seconds."""
    return statistics.quantiles(one.times, n=100, method="inclusive")[98]


def rate(one: Measured) -> float:
    """Return the requests per second of one round."""
    return len(one.times) / one.elapsed


def _latency(found: Sequence[Measured]) -> float:
    return statistics.median(map(median, found))


def _throughput(found: Sequence[Measured]) -> float:
    return statistics.median(map(rate, found))

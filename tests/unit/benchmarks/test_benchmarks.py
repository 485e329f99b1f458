"""Parts of the benchmark: its client, its turns, its figures and its document."""

import itertools
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks import document, own, processes, synthetic, warm
from benchmarks.__main__ import main
from benchmarks.contender import Contender, Server, alternate, check, rotated, running
from benchmarks.load_generator import Answer, Load, LoadError, Measured, measure
from benchmarks.section import Section, Table, megabytes, milliseconds, paired_ratio, times
from benchmarks.subject import Subject
from scripts.lib.console import run_main
from scripts.lib.project import ScriptError
from tests.helpers.waiting import wait_for

SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\n\r\n"
)


@contextmanager
def serving(fails_from: int = 10**9, status: int = 500) -> Iterator[tuple[str, list[bytes]]]:
    """Run an HTTP server that returns label 1, and later another status."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.dumps({"label": 1}).encode()
            self.send_response(200 if len(bodies) < fails_from else status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/review", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("content", "status", "closes"), [(SIZED, 200, True), (CHUNKED, 503, False)]
)
@given(cuts=st.lists(st.integers(0, 90), max_size=6))
def test_a_response_is_parsed_however_it_is_split(
    content: bytes, status: int, closes: bool, cuts: list[int]
) -> None:
    """A response is complete with its last byte, wherever the network splits it."""
    answer = Answer()
    edges = [0, *sorted(min(cut, len(content) - 1) for cut in cuts)]
    for start, end in itertools.pairwise(edges):
        assert not answer.feed(content[start:end])
    assert answer.feed(content[edges[-1] :])
    assert (answer.status, answer.body, answer.closes) == (status, b"hello", closes)


def test_the_client_sends_the_requested_load() -> None:
    """Every client warms up, and together they send exactly the number of timed requests."""
    with serving() as (url, bodies):
        found = measure(Load(url, "POST", {"X-Test": "1"}, b"body", 3, 20, warmup=2))
    assert len(found.times) == 20
    assert bodies == [b"body"] * (20 + 3 * 2)
    assert max(found.times) <= found.elapsed


def test_a_failed_request_ends_a_measurement() -> None:
    """A status other than 200 is an error with the server's response."""
    with (
        serving(fails_from=10, status=429) as (url, _),
        pytest.raises(LoadError, match="status 429"),
    ):
        measure(Load(url, "POST", {}, b"body", 2, 50, warmup=1))


def test_a_missing_server_is_an_error() -> None:
    """If nothing listens at the port, the measurement fails with the reason."""
    with serving() as (url, _):
        pass
    with pytest.raises(LoadError, match="Connect"):
        measure(Load(url, "POST", {}, b"body", 1, 1))


def test_each_round_starts_with_another_name() -> None:
    """Names take turns at being first, and their order is kept."""
    assert [rotated(["a", "b", "c"], number)[0] for number in range(4)] == ["a", "b", "c", "a"]
    assert rotated(["a", "b", "c"], 1) == ["b", "c", "a"]
    assert rotated([], 3) == []


def test_a_failure_under_load_does_not_affect_other_servers() -> None:
    """The figures of a server that fails are dropped, its reason is kept, and others continue."""
    with serving() as (good, _), serving(fails_from=30) as (bad, _):
        servers = {"good": Server(good, 0, 0.0), "bad": Server(bad, 0, 0.0)}
        found, failures = alternate(servers, (1, 2), rounds=2, requests=10)
    assert {key: len(one) for key, one in found.items()} == {("good", 1): 2, ("good", 2): 2}
    assert list(failures) == ["bad"]
    assert "status 500" in failures["bad"]


class Pipeline:
    """Predicts 1 for everything."""

    def predict(self, texts: list[str]) -> list[int]:
        return [1 for _ in texts]


def test_a_contender_that_fails_is_left_out() -> None:
    """Its reason is kept, it is stopped, and the other contenders run."""
    stopped = []

    @contextmanager
    def start(subject: Subject) -> Iterator[Server]:
        with serving() as (url, _):
            yield Server(url, 0, 0.0)
        stopped.append("good")

    @contextmanager
    def wrong(subject: Subject) -> Iterator[Server]:
        with serving() as (url, _):
            yield Server(url, 0, 0.0, label=lambda answer: 0)
        stopped.append("wrong")

    def missing() -> str:
        raise ScriptError("it cannot be installed")

    subject = Subject(Path(), Path(), Path(), Pipeline(), ["one", "two"], [])
    contenders = [
        Contender("missing", missing, start, ""),
        Contender("wrong", lambda: "1", wrong, ""),
        Contender("good", lambda: "2", start, ""),
    ]
    with running(contenders, subject) as found:
        assert list(found.servers) == ["good"]
        assert stopped == ["wrong"]
        assert found.failures["missing"] == "it cannot be installed"
        assert "another label than the pipeline" in found.failures["wrong"]
    assert stopped == ["wrong", "good"]


def test_contenders_must_predict_the_pipelines_labels() -> None:
    """A server of another model is an error."""
    with serving() as (url, _):
        server = Server(url, 0, 0.0)
        check(server, ["a", "b"], [1, 1])
        with pytest.raises(ScriptError, match="pipeline for 1 reviews"):
            check(server, ["a", "b"], [1, 0])


def test_a_server_is_stopped_with_all_its_children(tmp_path: Path) -> None:
    """Children in another session that ignore SIGTERM are stopped too."""
    child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    parent = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True)\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    with processes.run_server("test-tree", [sys.executable, "-c", parent]) as process:
        written = tmp_path / "pid"
        pid = int(wait_for(lambda: written.exists() and written.read_text(), "the child"))
        assert set(processes.tree(process.pid)) == {process.pid, pid}
        assert processes.memory(process.pid) > processes.memory(pid) > 1_000_000
    assert process.returncode == -signal.SIGTERM
    deadline = time.monotonic() + 10
    while processes.tree(pid):  # until its new parent has reaped it
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z":
            break
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_server_that_dies_is_reported_with_its_log() -> None:
    """The error has the exit status and the end of the server's output."""
    command = [sys.executable, "-c", "import sys; print('no port'); sys.exit(3)"]

    def refuse() -> None:
        raise OSError("refused")

    with (
        processes.run_server("test-dies", command) as process,
        pytest.raises(ScriptError, match=r"(?s)status 3\).*no port"),
    ):
        processes.wait_until_answers("test-dies", process, refuse)


def test_ratios_are_those_of_each_round() -> None:
    """A round in which everything was slow does not change a ratio."""
    assert paired_ratio([2, 20, 4], [1, 10, 2]) == 2
    assert paired_ratio([3, 100], [1, 100]) == 2


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.0000451, "0.045"), (0.00123, "1.23"), (0.0556, "55.6"), (2, "2,000")]
)
def test_times_have_three_digits(seconds: float, shown: str) -> None:
    """Times are shown in milliseconds, with three significant digits."""
    assert milliseconds(seconds) == shown


def test_ratios_and_sizes_are_readable() -> None:
    """Small ratios keep their digits, and large numbers get commas."""
    assert [times(ratio) for ratio in (0.0123, 0.5, 1, 1091)] == [
        "0.012 ×", "0.50 ×", "1.00 ×", "1,091 ×"
    ]  # fmt: skip
    assert [megabytes(count) for count in (54_000, 198_000_000)] == ["0.05", "198"]


def test_the_fastest_server_is_first() -> None:
    """A peer that is faster than this project is above it, with a ratio below 1."""
    slow, quick = Measured([0.02] * 10, 0.2), Measured([0.01] * 10, 0.05)
    measured = {(own.NAME, 1): [slow, slow], ("peer", 1): [quick, quick]}
    rows = warm.table(measured).rows
    assert [row[0] for row in rows] == ["peer", own.NAME]
    assert rows[0][2:] == ["10.0", "0.50 ×", "10.0", "0.50 ×", "200", "4.00 ×"]
    drawn = warm.panels(measured)
    assert list(drawn["requests/s, 1 client"]) == ["peer", own.NAME]


@pytest.mark.parametrize("count", [200, 5000])
def test_a_synthetic_model_has_exactly_its_terms(count: int) -> None:
    """The vocabulary has the requested size, is the same in every run, and is the pipeline's."""
    terms = synthetic.vocabulary(count)
    assert len(set(terms)) == count
    assert synthetic.vocabulary(300)[:200] == terms[:200]
    vectorizer: TfidfVectorizer = synthetic.pipeline(terms)[0]
    assert set(vectorizer.vocabulary_) == set(terms)


def test_a_synthetic_review_has_the_requested_length() -> None:
    """It consists of known terms, most of them common ones, and depends on the seed."""
    terms = synthetic.vocabulary(1000)
    words = synthetic.review(terms, 5000).split()
    assert len(words) == 5000
    assert set(words) <= set(terms)
    assert words.count(terms[0]) > words.count(terms[100])
    assert synthetic.review(terms, 50) == synthetic.review(terms, 50)
    assert synthetic.review(terms, 50) != synthetic.review(terms, 50, 1)


def test_the_document_lists_what_was_not_measured(tmp_path: Path) -> None:
    """It has tables, plots, facts and reasons of failures; the plots are files beside it."""
    table = Table(["what", "ms"], [["`predict([x])`", "1.00"]])
    figure = Figure()
    section = Section(
        "warm", "Warm requests", "How.", [table], {"warm": (figure, "Bars.")},
        {"MiniStack": "it did\nnot start"}, {"FastAPI": "fastapi 1.0"},
    )  # fmt: skip
    path = document.write([section], {"date": "today"}, "scripts/bench --peers", tmp_path)
    text = path.read_text()
    for part in (
        "scripts/bench --peers", "| date | today |", "## Warm requests", "![Bars.]",
        "(benchmarks/warm.svg)", "| what | ms |\n| --- | --: |\n| `predict([x])` | 1.00 |",
        "- MiniStack: it did not start", "- FastAPI: fastapi 1.0",
    ):  # fmt: skip
        assert part in text
    first = (tmp_path / "benchmarks" / "warm.svg").read_bytes()
    assert first.startswith(b"<?xml")


def test_loading_reports_time_and_memory(tmp_path: Path) -> None:
    """Fresh processes load each form and predict; the compiled one needs the least memory."""
    from benchmarks.growth import _FORMS, _load, _write

    terms = synthetic.vocabulary(300)
    found = _load({300: _write(tmp_path, terms)}, terms, rounds=1)
    assert set(found) == {(300, name) for name in _FORMS}
    memory = {name: results[0]["memory"] for (_, name), results in found.items()}
    assert min(memory, key=lambda name: memory[name]) == "compiled"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--requests", "3"], "--requests must be at least 16"),
        (["--write", "--only", "cold"], "cannot be used with --only"),
    ],
)
def test_mistakes_are_reported_in_one_sentence(
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Options that make no sense are an error before anything is started."""
    monkeypatch.setattr(sys, "argv", ["scripts/bench", *arguments])
    with pytest.raises(SystemExit) as exit_:
        run_main(main)
    assert exit_.value.code == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err
    assert shown.err.count("\n") == 1

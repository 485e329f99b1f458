"""What takes part in a comparison, and the rounds in which all of them take turns."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from benchmarks.load_generator import Load, LoadError, Measured, measure
from benchmarks.processes import fetch
from benchmarks.subject import REVIEW, Subject
from scripts.lib.console import step
from scripts.lib.project import ScriptError


@dataclass(frozen=True)
class Server:
    """A server that runs and has answered.

    Attributes
    ----------
    url, headers
        Where and how it is asked.
    pid : int
        The process that is its own and all its children's parent.
    ready : float
        Seconds from its start to its first prediction.
    body : callable
        From a review to the request's body.
    label : callable
        From the answer's JSON to the label.
    method : str
        Of the request.
    """

    url: str
    pid: int
    ready: float
    body: Callable[[str], bytes] = lambda review: json.dumps({"review_text": review}).encode()
    label: Callable[[Any], int] = lambda answer: int(answer["label"])
    headers: Mapping[str, str] = field(
        default_factory=lambda: {"Content-Type": "application/json", "Accept": "application/json"}
    )
    method: str = "POST"

    def predict(self, review: str) -> int:
        """Ask for one label.

        Raises
        ------
        OSError
            There is no answer, or none of status 200.
        """
        return self.label(json.loads(fetch(self.url, self.method, self.headers, self.body(review))))

    def load(self, clients: int, requests: int) -> Measured:
        """Keep it busy."""
        return measure(
            Load(self.url, self.method, self.headers, self.body(REVIEW), clients, requests)
        )


@dataclass(frozen=True)
class Contender:
    """A way to serve the model.

    Attributes
    ----------
    name : str
        In tables.
    install : callable
        Installs it where it is missing; returns its version in words.
    start : callable
        Starts it with a model; it is stopped when the context ends.
    about : str
        What it consists of, in words, for the document.
    """

    name: str
    install: Callable[[], str]
    start: Callable[[Subject], AbstractContextManager[Server]]
    about: str


@dataclass(frozen=True)
class Running:
    """Contenders that are up, their versions, and why others are not, by name."""

    servers: dict[str, Server]
    versions: dict[str, str]
    failures: dict[str, str]


@contextmanager
def running(contenders: Sequence[Contender], subject: Subject) -> Iterator[Running]:
    """Start contenders, prove that they serve the same model, and stop them at the end.

    One that cannot be installed or started, or says something else of a review, is left out, and
    the reason kept.
    """
    expected = subject.labels()
    found = Running({}, {}, {})
    with ExitStack() as stack:
        for contender in contenders:
            with step(f"Starting {contender.name}") as done:
                with ExitStack() as own:  # unwound where it does not get to the end
                    try:
                        found.versions[contender.name] = contender.install()
                        server = own.enter_context(contender.start(subject))
                        check(server, subject.reviews, expected)
                    except (ScriptError, OSError, ValueError, KeyError) as exc:
                        found.failures[contender.name] = str(exc)
                        done(f"NOT MEASURED: {exc}")
                        continue
                    found.servers[contender.name] = server
                    stack.push(own.pop_all())
                done(f"{found.versions[contender.name]}; predicts as the pipeline does")
        yield found


def check(server: Server, reviews: Sequence[str], expected: Sequence[int]) -> None:
    """Raise `ScriptError` where a contender's labels are not the pipeline's own."""
    answers = [server.predict(review) for review in reviews]
    if answers != list(expected):
        wrong = sum(one != other for one, other in zip(answers, expected, strict=True))
        raise ScriptError(f"it says something else than the pipeline of {wrong} reviews")


Key = tuple[str, int]
"""A contender's name, and the number of clients."""


def alternate(
    servers: Mapping[str, Server],
    clients: Sequence[int],
    rounds: int,
    requests: int,
) -> tuple[dict[Key, list[Measured]], dict[str, str]]:
    """Let contenders take turns under load, so that a busy machine disturbs all of them.

    Each round begins with another one, since what comes first finds another machine than what
    comes last.

    Returns
    -------
    tuple of dict
        Of each contender and number of clients, what was measured in each round; and of each that
        failed, the reason. What a contender did before it failed is not kept.
    """
    measured: dict[Key, list[Measured]] = {}
    failures: dict[str, str] = {}
    names = list(servers)
    for number in range(rounds):
        with step(f"Round {number + 1} of {rounds} under load"):
            for count, name in product(clients, rotated(names, number)):
                if name in failures:
                    continue
                try:
                    one = servers[name].load(count, requests)
                except LoadError as exc:
                    failures[name] = f"with {count} client(s): {exc}"
                else:
                    measured.setdefault((name, count), []).append(one)
    kept = {key: found for key, found in measured.items() if key[0] not in failures}
    return kept, failures


def rotated(names: Sequence[str], number: int) -> list[str]:
    """Return the names in their order, beginning with another one in each round."""
    start = number % len(names) if names else 0
    return [*names[start:], *names[:start]]

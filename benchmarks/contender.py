"""The contenders of a comparison, and the rounds in which they take turns."""

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
    """A running server.

    Attributes
    ----------
    url : str
        The URL that predicts.
    pid : int
        The server's process, the parent of all its other processes.
    ready : float
        Seconds from its start to its first prediction.
    body : callable
        Makes the request's body from a review.
    label : callable
        Reads the label from the response's JSON.
    headers : mapping
        The request's headers.
    method : str
        The request's method.
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
        """Request the label of one review.

        Raises
        ------
        OSError
            There was no response, or its status was not 200.
        """
        return self.label(json.loads(fetch(self.url, self.method, self.headers, self.body(review))))

    def load(self, clients: int, requests: int) -> Measured:
        """Put the server under load."""
        return measure(
            Load(self.url, self.method, self.headers, self.body(REVIEW), clients, requests)
        )


@dataclass(frozen=True)
class Contender:
    """A way to serve the model.

    Attributes
    ----------
    name : str
        Its name in tables.
    install : callable
        Installs it if it is missing; returns its version in words.
    start : callable
        Starts it with a model; it is stopped when the context ends.
    about : str
        A description for the document.
    """

    name: str
    install: Callable[[], str]
    start: Callable[[Subject], AbstractContextManager[Server]]
    about: str


@dataclass(frozen=True)
class Running:
    """The running servers, their versions, and why others do not run, all by name."""

    servers: dict[str, Server]
    versions: dict[str, str]
    failures: dict[str, str]


@contextmanager
def running(contenders: Sequence[Contender], subject: Subject) -> Iterator[Running]:
    """Start contenders, check that they serve the same model, and stop them at the end.

    A contender that cannot be installed or started, or that predicts other labels than the
    pipeline, is left out, and `Running.failures` has the reason.
    """
    expected = subject.labels()
    found = Running({}, {}, {})
    with ExitStack() as stack:
        for contender in contenders:
            with step(f"Starting {contender.name}") as done:
                with ExitStack() as own:  # stops the contender if it fails the check
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
    """Raise `ScriptError` if a server does not predict the pipeline's labels."""
    answers = [server.predict(review) for review in reviews]
    if answers != list(expected):
        wrong = sum(one != other for one, other in zip(answers, expected, strict=True))
        raise ScriptError(f"it predicts another label than the pipeline for {wrong} reviews")


Key = tuple[str, int]
"""A contender's name, and the number of clients."""


def alternate(
    servers: Mapping[str, Server],
    clients: Sequence[int],
    rounds: int,
    requests: int,
) -> tuple[dict[Key, list[Measured]], dict[str, str]]:
    """Let servers take turns under load, so that other load on the machine affects all of them.

    Each round starts with another server, since the first one in a round finds the machine in
    another state than the last.

    Returns
    -------
    measured : dict
        The measurements of each round, by the server's name and the number of clients. Those of
        servers that failed later are left out.
    failures : dict
        The reasons of failures, by the server's name.
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
    """Return the names in their order, starting with another one in each round."""
    start = number % len(names) if names else 0
    return [*names[start:], *names[:start]]

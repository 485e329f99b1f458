"""The model that S3 names: held in memory, and replaced when S3 names another one.

Each Lambda asks S3 by itself, when a request comes in. If anything about a refresh fails, the last
good model keeps serving, and a slow refresh continues in the background.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from sklearn_api.errors import ArtifactError, ModelUnavailableError, SklearnApiError
from sklearn_api.settings import Settings
from sklearn_api.store import ModelStore, Pointer, create_reader

RETRY_SECONDS = 1.0
"""How soon S3 is asked again while there is no model at all."""

PATIENCE_SECONDS = 2.0
"""How long a request waits for a refresh while there is a model that can answer it."""

T = TypeVar("T")


class Served(NamedTuple, Generic[T]):
    """A model and its version.

    Attributes
    ----------
    model : object
        As it was loaded.
    pointer : Pointer
        The pointer that named it.
    """

    model: T
    pointer: Pointer


class CurrentModel(Generic[T]):
    """The model that S3 names, kept up to date.

    A request makes it ask S3, at most once every `refresh_seconds`. A new model replaces the old
    one in one step. If anything about it fails, the last good one keeps serving.

    Parameters
    ----------
    store : callable
        Returns the store. It is called at the first use, since creating a client takes a while.
    load : callable
        Turns an artifact into a model; raises `ArtifactError` if the artifact cannot be served.
    refresh_seconds : float
        How long a model serves before S3 is asked for a newer one.
    max_bytes : int
        Largest artifact.
    clock : callable
        Returns monotonic seconds.
    warn : callable
        Receives each reason why a model could not be replaced, once.
    patience : float
        How many seconds a request waits for a refresh if it can be answered without it.
    turn : Lock, optional
        Held while an artifact is in memory. Models that share one never hold two at once.
    """

    def __init__(
        self,
        store: Callable[[], ModelStore],
        load: Callable[[bytearray], T],
        *,
        refresh_seconds: float,
        max_bytes: int,
        clock: Callable[[], float],
        warn: Callable[[str], None],
        patience: float = PATIENCE_SECONDS,
        turn: "threading.Lock | None" = None,  # before Python 3.13, Lock is a function
    ) -> None:
        self._make_store = store
        self._load = load
        self._store: ModelStore | None = None
        self._refresh_seconds = refresh_seconds
        self._max_bytes = max_bytes
        self._clock = clock
        self._warn = warn
        self._patience = patience
        self._turn = turn or threading.Lock()
        self._lock = threading.Lock()
        self._recording = threading.Lock()
        self._refreshing = False
        self._served: Served[T] | None = None
        self._etag: str | None = None
        self._asked: float | None = None
        self._refused: ArtifactError | None = None
        self._failure: SklearnApiError | None = None
        self._warned: set[str] = set()

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        load: Callable[[bytearray], T],
        warn: Callable[[str], None],
        turn: "threading.Lock | None" = None,
    ) -> "CurrentModel[T]":
        """Return the current model of a Lambda; see the class for `load`, `warn` and `turn`."""
        return cls(
            lambda: ModelStore(
                create_reader(settings.storage, settings.model_bucket),
                settings.model_bucket,
                settings.model_name,
            ),
            load,
            refresh_seconds=settings.model_refresh_seconds,
            max_bytes=settings.max_artifact_bytes,
            clock=time.monotonic,
            warn=warn,
            turn=turn,
        )

    @property
    def known(self) -> Served[T] | None:
        """The last good model, without asking S3; None if there is none yet."""
        return self._served

    @property
    def failure(self) -> SklearnApiError | None:
        """Why the last refresh failed, None if it succeeded."""
        return self._failure

    def get(self) -> Served[T]:
        """Return the current model.

        Raises
        ------
        ModelUnavailableError
            No model has been loaded yet; the message says why.
        """
        with self._lock:
            if self._due():
                if self._served is None:
                    self._refresh()
                else:
                    self._refresh_with_patience()
            if self._served is None:
                assert self._failure is not None, "a refresh ends in a model or in a failure"
                raise ModelUnavailableError(str(self._failure)) from self._failure
            return self._served

    def _due(self) -> bool:
        if self._refreshing:
            return False
        if self._asked is None:
            return True
        wait = self._refresh_seconds
        if self._served is None:
            wait = min(wait, RETRY_SECONDS)
        return self._clock() - self._asked >= wait

    def _refresh_with_patience(self) -> None:
        """Refresh in another thread, so that a request need not wait for the end.

        Timeouts alone do not limit it: an S3 that sends a byte now and then never exceeds one.
        """
        self._refreshing = True
        refresh = threading.Thread(target=self._refresh, daemon=True)
        refresh.start()
        refresh.join(self._patience)
        with self._recording:
            if self._refreshing:
                self._record(
                    ModelUnavailableError(f"no answer from S3 within {self._patience:g} seconds")
                )

    def _refresh(self) -> None:
        failure: SklearnApiError | None
        started = self._clock()
        try:
            if self._store is None:
                self._store = self._make_store()
            found = self._store.pointer(unless=self._etag)
            if found is not None:
                self._replace(self._store, *found)
            failure = self._refused
        except SklearnApiError as exc:
            failure = exc
        except Exception as exc:  # The refresh ends here; the good model must survive it.
            failure = ModelUnavailableError(f"an unexpected {type(exc).__name__} while refreshing")
        with self._recording:
            self._record(failure)
            # The answer is as old as the question, however long the model took to load. After a
            # failure, S3 gets the whole interval to recover.
            self._asked = started if failure is None else self._clock()
            self._refreshing = False

    def _record(self, failure: SklearnApiError | None) -> None:
        self._failure = failure
        if failure is None:
            self._warned.clear()
        elif self._served and str(failure) not in self._warned:
            # Reasons can alternate, such as slow and unreachable: each is reported once.
            self._warned.add(str(failure))
            serving = self._served.pointer
            self._warn(f"still serving {serving.name} {serving.version}: {failure}")

    def _replace(self, store: ModelStore, pointer: Pointer, etag: str) -> None:
        try:
            self._served, self._refused = Served(self._model(store, pointer), pointer), None
        except ArtifactError as exc:
            # A version never changes, so a refused one is not downloaded again until the pointer
            # names another.
            self._refused = ArtifactError(f"version {pointer.version}: {exc}")
        self._etag = etag

    def _model(self, store: ModelStore, pointer: Pointer) -> T:
        if self._served and self._served.pointer.sha256 == pointer.sha256:
            return self._served.model
        if not self._turn.acquire(timeout=self._patience):
            raise ModelUnavailableError("the artifact of another model is still being downloaded")
        try:
            return self._load(store.download(pointer, self._max_bytes))
        finally:
            self._turn.release()

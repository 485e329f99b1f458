"""The model that S3 names: kept, and replaced as a whole when S3 names another one.

Each Lambda looks for itself, when a request comes in. What it holds is good, and stays until
something better is there: whatever fails about a refresh, the last good model serves on, and a
refresh that takes long goes on in the background.
"""

import threading
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from sklearn_api.errors import ArtifactError, ModelUnavailableError, SklearnApiError
from sklearn_api.store import ModelStore, Pointer

RETRY_SECONDS = 1.0
"""How soon S3 is asked again while there is no model at all."""

PATIENCE_SECONDS = 2.0
"""How long a request waits for a refresh while there is a model to answer with."""

T = TypeVar("T")


class Served(NamedTuple, Generic[T]):
    """A model, and the version that it is.

    Attributes
    ----------
    model : object
        What was loaded.
    pointer : Pointer
        What S3 called it.
    """

    model: T
    pointer: Pointer


class CurrentModel(Generic[T]):
    """The model that S3 names, kept up to date.

    S3 is asked when a request comes in, and at most every `refresh_seconds`. A new model replaces
    the old one as a whole. When anything about it fails, the last good one goes on serving.

    Parameters
    ----------
    store : callable
        Returns the store; called at the first use, since creating a client takes a while.
    load : callable
        From an artifact to the model; raises `ArtifactError` where it is not fit to be served.
    refresh_seconds : float
        How long a model is served before S3 is asked for a newer one.
    max_bytes : int
        Largest artifact.
    clock : callable
        Monotonic seconds.
    warn : callable
        Told, once, why a model could not be replaced.
    patience : float
        How many seconds a refresh may keep a request that could be answered without it.
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
    ) -> None:
        self._make_store = store
        self._load = load
        self._store: ModelStore | None = None
        self._refresh_seconds = refresh_seconds
        self._max_bytes = max_bytes
        self._clock = clock
        self._warn = warn
        self._patience = patience
        self._lock = threading.Lock()
        self._noting = threading.Lock()
        self._refreshing = False
        self._served: Served[T] | None = None
        self._etag: str | None = None
        self._asked: float | None = None
        self._refused: ArtifactError | None = None
        self._failure: SklearnApiError | None = None
        self._told: set[str] = set()

    @property
    def failure(self) -> SklearnApiError | None:
        """Why the last refresh failed, None when it did not."""
        return self._failure

    def get(self) -> Served[T]:
        """Return the current model.

        Raises
        ------
        ModelUnavailableError
            There is none and there has been none; the message says why.
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
        """Refresh in another thread, so that a request need not wait for its end.

        Timeouts alone do not bound it: S3 that sends a byte now and then never exceeds one.
        """
        self._refreshing = True
        refresh = threading.Thread(target=self._refresh, daemon=True)
        refresh.start()
        refresh.join(self._patience)
        with self._noting:
            if self._refreshing:
                self._note(
                    ModelUnavailableError(f"no answer of S3 within {self._patience:g} seconds")
                )

    def _refresh(self) -> None:
        failure: SklearnApiError | None
        begun = self._clock()
        try:
            if self._store is None:
                self._store = self._make_store()
            found = self._store.pointer(unless=self._etag)
            if found is not None:
                self._take(self._store, *found)
            failure = self._refused
        except SklearnApiError as exc:
            failure = exc
        except Exception as exc:  # The refresh ends here, and must not end the good model with it.
            failure = ModelUnavailableError(f"an unexpected {type(exc).__name__} while refreshing")
        with self._noting:
            self._note(failure)
            # What S3 has said is as old as the question, however long the model took to load. After
            # a failure, S3 gets the whole interval to recover.
            self._asked = begun if failure is None else self._clock()
            self._refreshing = False

    def _note(self, failure: SklearnApiError | None) -> None:
        self._failure = failure
        if failure is None:
            self._told.clear()
        elif self._served and str(failure) not in self._told:
            # Reasons can take turns, such as slow and unreachable: each of them is told once.
            self._told.add(str(failure))
            self._warn(f"serving {self._served.pointer.version} on: {failure}")

    def _take(self, store: ModelStore, pointer: Pointer, etag: str) -> None:
        try:
            self._served, self._refused = Served(self._model(store, pointer), pointer), None
        except ArtifactError as exc:
            # A version never changes: what was refused is not downloaded again, until the pointer
            # names another one.
            self._refused = ArtifactError(f"version {pointer.version}: {exc}")
        self._etag = etag

    def _model(self, store: ModelStore, pointer: Pointer) -> T:
        if self._served and self._served.pointer.sha256 == pointer.sha256:
            return self._served.model
        return self._load(store.download(pointer, self._max_bytes))

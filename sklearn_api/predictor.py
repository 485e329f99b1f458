"""The model in memory: asked for predictions, and replaced when S3 names another one."""

import threading
from collections.abc import Callable

from sklearn_api.compiled import COMPILED, CompiledModel
from sklearn_api.errors import ArtifactError, ModelUnavailableError, SklearnApiError
from sklearn_api.estimated import EstimatedModel, Prediction
from sklearn_api.header import not_compiled, open_artifact, read_calibration
from sklearn_api.store import ModelStore, Pointer

RETRY_SECONDS = 1.0
"""How soon S3 is asked again while there is no model at all."""


class Predictor:
    """A model, and the version that it is.

    Parameters
    ----------
    model : CompiledModel or EstimatedModel
        In the form that serves.
    pointer : Pointer
        What S3 called it.
    """

    def __init__(self, model: CompiledModel | EstimatedModel, pointer: Pointer) -> None:
        self.model = model
        self.pointer = pointer

    @property
    def form(self) -> str:
        """Which form of the model serves: ``compiled`` or ``sklearn``."""
        return self.model.form

    def predict(self, text: str) -> Prediction:
        """Return the prediction for one text."""
        return self.model.predict(text)


def read_model(
    content: bytes, sha256: str, max_bytes: int, wanted: str = "auto"
) -> CompiledModel | EstimatedModel:
    """Check an artifact and return the model in it, in the form that serves.

    Parameters
    ----------
    content, sha256, max_bytes
        See `artifact.read_artifact`.
    wanted : str
        `Settings.predictor`.

    Raises
    ------
    ArtifactError
        It is damaged, made for something else, or has no compiled form where only that is wanted.
    """
    if wanted != "sklearn":
        archive, header = open_artifact(content, sha256, max_bytes)
        if COMPILED in archive.names:
            return CompiledModel(archive, read_calibration(header))
        if wanted == "compiled":
            raise ArtifactError(
                "PREDICTOR is 'compiled', but the model has no compiled form: "
                f"{not_compiled(header)}"
            )
    from sklearn_api.artifact import read_artifact

    model = read_artifact(content, sha256, max_bytes)
    return EstimatedModel(model.pipeline, model.calibration)


class CurrentModel:
    """The model that S3 names, kept up to date.

    S3 is asked when a request comes in, and at most every `refresh_seconds`. A new model replaces
    the old one as a whole. When anything about it fails, the last good one goes on serving.

    Parameters
    ----------
    store : callable
        Returns the store; called at the first use, since creating a client takes a while.
    refresh_seconds : float
        How long a model is served before S3 is asked for a newer one.
    max_bytes : int
        Largest artifact.
    wanted : str
        Which form of the model is to serve: `Settings.predictor`.
    clock : callable
        Monotonic seconds.
    warn : callable
        Told, once, why a model could not be replaced.
    """

    def __init__(
        self,
        store: Callable[[], ModelStore],
        *,
        refresh_seconds: float,
        max_bytes: int,
        clock: Callable[[], float],
        warn: Callable[[str], None],
        wanted: str = "auto",
    ) -> None:
        self._wanted = wanted
        self._make_store = store
        self._store: ModelStore | None = None
        self._refresh_seconds = refresh_seconds
        self._max_bytes = max_bytes
        self._clock = clock
        self._warn = warn
        self._lock = threading.Lock()
        self._predictor: Predictor | None = None
        self._etag: str | None = None
        self._asked: float | None = None
        self._refused: ArtifactError | None = None
        self._failure: SklearnApiError | None = None

    def get(self) -> Predictor:
        """Return the current model.

        Raises
        ------
        ModelUnavailableError
            There is none and there has been none; the message says why.
        """
        with self._lock:
            if self._due():
                self._refresh()
            if self._predictor is None:
                assert self._failure is not None, "a refresh ends in a model or in a failure"
                raise ModelUnavailableError(str(self._failure)) from self._failure
            return self._predictor

    def _due(self) -> bool:
        if self._asked is None:
            return True
        wait = self._refresh_seconds
        if self._predictor is None:
            wait = min(wait, RETRY_SECONDS)
        return self._clock() - self._asked >= wait

    def _refresh(self) -> None:
        try:
            if self._store is None:
                self._store = self._make_store()
            found = self._store.pointer(unless=self._etag)
            if found is not None:
                self._take(self._store, *found)
            failure: SklearnApiError | None = self._refused
        except SklearnApiError as exc:
            failure = exc
        if failure and self._predictor and str(failure) != str(self._failure):
            self._warn(f"serving {self._predictor.pointer.version} on: {failure}")
        self._failure = failure
        self._asked = self._clock()

    def _take(self, store: ModelStore, pointer: Pointer, etag: str) -> None:
        try:
            self._predictor, self._refused = self._load(store, pointer), None
        except ArtifactError as exc:
            # A version never changes: what was refused is not downloaded again, until the pointer
            # names another one.
            self._refused = exc
        self._etag = etag

    def _load(self, store: ModelStore, pointer: Pointer) -> Predictor:
        if self._predictor and self._predictor.pointer.sha256 == pointer.sha256:
            return Predictor(self._predictor.model, pointer)
        content = store.download(pointer.version, self._max_bytes)
        model = read_model(content, pointer.sha256, self._max_bytes, self._wanted)
        return Predictor(model, pointer)

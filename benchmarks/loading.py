"""Load a model in a fresh process, predict, and print time and memory.

``python -m benchmarks.loading FORM FILE`` reads reviews from standard input, as a JSON array.
FORM is ``compiled`` or ``sklearn`` (FILE is an artifact), or ``pickle``. The process imports only
what the form needs, so that its memory is that of the form.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

_MAX_BYTES = 2**31


def reader(form: str, path: Path) -> Callable[[], Callable[[str], object]]:
    """Return a function that loads the model. The libraries it needs have been imported."""
    if form == "pickle":
        import sklearn.feature_extraction.text
        import sklearn.pipeline
        import sklearn.svm  # otherwise unpickling would import them

        from benchmarks import pickles

        def load() -> Callable[[str], object]:
            pipeline = pickles.read(path)
            return lambda review: pipeline.predict([review])

        return load
    content = path.read_bytes()
    from sklearn_api.load import load_model

    if form == "sklearn":
        import sklearn.feature_extraction.text
        import sklearn.pipeline
        import sklearn.svm  # noqa: F401  # otherwise loading would import it

    def load_artifact() -> Callable[[str], object]:
        model = load_model(content, _MAX_BYTES, form)
        return lambda review: model.predict([review])

    return load_artifact


def main() -> int:
    """Run the program."""
    form, path = sys.argv[1], Path(sys.argv[2])
    reviews = json.load(sys.stdin)
    load = reader(form, path)
    started = time.perf_counter()
    predict = load()
    loaded = time.perf_counter() - started
    taken = []
    for review in reviews:  # all different, since a form may cache the terms that it has seen
        started = time.perf_counter()
        predict(review)
        taken.append(time.perf_counter() - started)
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    print(
        json.dumps({
            "load": loaded,
            "memory": int(peak.split()[1]) * 1024,
            "predict": statistics.median(taken),
        })
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Loads an artifact and predicts as a Lambda does; `training.artifact.lambda_process` starts it.

It runs in a process of its own, by its path, because importing it as a part of `training` would
import that. All that the process may import is Python's standard library, what the layer holds,
`sklearn_api`, and code of the endpoint's own. It reads a request from its standard input and writes
an answer to a file, both JSON: nothing is pickled.
"""

import json
import os
import sys
import time
from typing import Any


class _LayerFinder:
    """Finds what a Lambda has, as other finders do, and nothing else.

    Parameters
    ----------
    finders : list
        Those of `sys.meta_path` that it stands for.
    modules : frozenset of str
        Names of the modules that a Lambda has, without a dot.
    """

    def __init__(self, finders: list[Any], modules: frozenset[str]) -> None:
        self._finders = finders
        self._modules = modules

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return the spec of a module, None if a Lambda does not have it."""
        # Python's own, with a name that depends on the platform; scipy needs it.
        own = name.startswith("_sysconfigdata")
        if not own and name.partition(".")[0] not in self._modules:
            return None
        specs = (finder.find_spec(name, path, target) for finder in self._finders)
        return next((spec for spec in specs if spec is not None), None)


def main() -> None:
    """Answer the request on the standard input."""
    request = json.load(sys.stdin)
    sys.path[:] = request["path"]
    modules = frozenset(request["modules"]) | sys.stdlib_module_names
    sys.meta_path[:] = [_LayerFinder(list(sys.meta_path), modules)]
    try:
        answer = _answer(request)
    # Whatever it is, it would happen in a Lambda as well.
    except Exception as exc:
        known = type(exc).__module__ == "sklearn_api.errors"
        answer = {"error": str(exc) if known else f"{type(exc).__name__}: {exc}"}
    with open(request["answer"], "w", encoding="ascii") as file:  # noqa: PTH123 - needs no pathlib
        json.dump(answer, file)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    started = time.process_time()  # other processes may be busy meanwhile
    from sklearn_api.answers import Answers
    from sklearn_api.instances import MANY, InstanceReader
    from sklearn_api.load import load_model

    with open(request["artifact"], "rb") as file:  # noqa: PTH123 - as above
        content = file.read()
    model = load_model(content, request["max_bytes"], own_code=request["own_code"])
    loaded = time.process_time()
    sent = request["instances"]
    read = InstanceReader(model.signature, most=len(sent)).read
    predictions = model.predict(read({MANY: sent}).instances)
    example = {one.name: one.example for one in model.signature.inputs}
    if None not in example.values():
        # An endpoint takes it for what any client could send.
        predictions += model.predict(read(example).instances)
    answers = Answers(model.signature)
    for prediction in predictions:
        answers.one(prediction, {})
    return {
        "predictions": [
            (one.value, one.score, _list(one.probabilities)) for one in predictions[: len(sent)]
        ],
        "loading": loaded - started,
        "peak": _peak(),
    }


def _list(values: Any) -> list[float] | None:
    return None if values is None else list(values)


def _peak() -> int:
    """Return the most bytes of memory that the process has held so far."""
    # A child's `ru_maxrss` begins with what its parent held, on Linux.
    if os.path.exists("/proc/self/status"):  # noqa: PTH110 - as above
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - as above
            line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes, on macOS


if __name__ == "__main__":
    main()

"""Reads thousands of artifacts that somebody has tampered with; `test_mutations.py` runs it.

It runs in its own process, so that the test can observe a crash, a hang, or a gigabyte of memory.
Every mutation is valid in the layers above the one that it changes: a changed schema or array is
zipped again with a correct checksum.
"""

import faulthandler
import io
import json
import pickle
import re
import resource
import sys
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC

from sklearn_api.calibration import Calibration
from sklearn_api.errors import ArtifactError
from sklearn_api.load import load_sklearn_model
from sklearn_api.settings import Settings
from training.artifact.write import write_artifact

GIGABYTE = 2**30
LIMIT = 20_000_000
# Audit events that code from an artifact could cause. Imports of scikit-learn's modules are not
# among them.
FORBIDDEN: tuple[str, ...] = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "subprocess.Popen",
    "socket",
)
FORBIDDEN += ("pickle.find_class", "os.remove", "os.rename", "os.mkdir", "shutil", "ctypes.dlopen")

TEXTS = ["good film", "bad film", "a nice film", "awful", "good and nice", "bad and awful"] * 4
LABELS = [1, 0, 1, 0, 1, 0] * 4
ROWS = np.random.default_rng(0).normal(size=(24, 4))

PIPELINES: list[tuple[Any, Any]] = [
    (make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)), TEXTS),
    (make_pipeline(CountVectorizer(min_df=2), CalibratedClassifierCV(LinearSVC(), cv=2)), TEXTS),
    (make_pipeline(TfidfVectorizer(), LogisticRegression().set_params(C=9.0)), TEXTS),
    (make_pipeline(TfidfVectorizer(ngram_range=(1, 3)), LinearSVC(random_state=0)), TEXTS),
    (make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=0)), ROWS),
    (GradientBoostingClassifier(n_estimators=3, random_state=0), ROWS),
    (HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2), ROWS),
    (IsolationForest(n_estimators=3, random_state=0), ROWS),
    (KNeighborsClassifier(2, algorithm="kd_tree", leaf_size=3), ROWS),
    (
        make_pipeline(
            ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", OneHotEncoder(), [2])]),
            LogisticRegression(),
        ),
        np.round(ROWS),
    ),
    (make_pipeline(TfidfVectorizer(), SVC()), TEXTS),
    (KNeighborsClassifier(2, algorithm="brute"), ROWS),
]
for pipeline, inputs in PIPELINES:
    pipeline.fit(inputs, LABELS)
PIPELINES[2][0][-1].sparsify()
ARTIFACTS = [
    write_artifact(pipeline, Calibration(2.0, 0.5) if number == 0 else None).content
    for number, (pipeline, _) in enumerate(PIPELINES)
]


def unzipped(artifact: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(artifact)) as source:
        return {name: source.read(name) for name in source.namelist()}


MEMBERS = [unzipped(artifact) for artifact in ARTIFACTS]
PICKLES = [pickle.dumps(print), pickle.dumps(LinearSVC()), pickle.dumps(np.array([print]))]


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return buffer.getvalue()


def damaged(data: st.DataObject, content: bytes) -> bytes:
    """Return bytes of which some are flipped, set, cut out, inserted or doubled."""
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(changed) - 1)))
        match data.draw(st.sampled_from(("flip", "set", "cut", "end", "insert", "double"))):
            case "flip" if changed:
                changed[at] ^= 1 << data.draw(st.integers(0, 7))
            case "set" if changed:
                changed[at] = data.draw(st.sampled_from((0, 1, 0x7F, 0x80, 0xFF)))
            case "cut":
                del changed[at : at + data.draw(st.integers(1, 64))]
            case "end":
                del changed[at:]
            case "insert":
                changed[at:at] = data.draw(st.binary(min_size=1, max_size=16))
            case "double":
                changed[at:at] = changed[at : at + 64]
    return bytes(changed)


def all_paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to every value inside a JSON value, itself included."""
    found = [path]
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        found += all_paths(inner, (*path, key))
    return found


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


NUMBERS = st.one_of(
    st.sampled_from((0, 1, -1, 2**31, 2**63, 2**64, -(2**63), 10**30, 1e308, float("nan"))),
    st.integers(-100, 100_000),
)
TYPES = st.sampled_from(
    (
        *("os.system", "subprocess.Popen", "builtins.eval", "builtins.exec", "builtins.__import__"),
        *("functools.partial", "operator.attrgetter", "numpy.load", "pickle.loads", "sys.exit"),
        *(
            "sklearn.svm._classes.LinearSVC",
            "sklearn.tree._tree.Tree",
            "builtins.dict",
            "numpy.log",
        ),
        *("sklearn.svm._classes.os", "sklearn.pipeline.Pipeline", "sklearn.utils._bunch.Bunch"),
    )
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=9), TYPES)


def changed_schema(data: st.DataObject, content: bytes) -> bytes:
    """Return a schema of which values are replaced, removed or wrapped."""
    schema = json.loads(content)
    for _ in range(data.draw(st.integers(1, 3))):
        paths = all_paths(schema)
        path = data.draw(st.sampled_from(paths))
        if not path:
            continue
        holder = at(schema, path[:-1])
        match data.draw(st.sampled_from(("scalar", "other", "remove", "wrap", "member"))):
            case "scalar":
                holder[path[-1]] = data.draw(SCALARS)
            case "other":
                other = at(schema, data.draw(st.sampled_from(paths)))
                holder[path[-1]] = json.loads(json.dumps(other))
            case "remove":
                del holder[path[-1]]
            case "wrap":
                holder[path[-1]] = data.draw(st.sampled_from(([], {}, [holder[path[-1]]])))
            case "member" if isinstance(holder, dict) and "file" in holder:
                holder["file"] = data.draw(st.sampled_from(sorted(MEMBERS[0])))
    return json.dumps(schema).encode()


def changed_array(data: st.DataObject, content: bytes) -> bytes:
    """Return an array with a changed header or changed numbers."""
    if data.draw(st.booleans()):
        number = str(data.draw(NUMBERS)).encode()
        content = re.sub(rb"\d+(?=,|\))", number, content, count=data.draw(st.integers(1, 4)))
        dtype = data.draw(st.sampled_from((b"<f8", b"|O", b"<U9", b"|V8", b"<i4", b">i8")))
        return content.replace(b"<f8", dtype) if data.draw(st.booleans()) else content
    start = 10 + int.from_bytes(content[8:10], "little")
    body = bytearray(content[start:])
    for _ in range(data.draw(st.integers(1, 4))):
        if len(body) >= 8:
            offset = 8 * data.draw(st.integers(0, len(body) // 8 - 1))
            value = data.draw(st.integers(-3, 300) | st.sampled_from((2**62, -(2**62))))
            body[offset : offset + 8] = value.to_bytes(8, "little", signed=True)
    return content[:start] + bytes(body)


def changed_member(data: st.DataObject, members: dict[str, bytes]) -> dict[str, bytes]:
    name = data.draw(st.sampled_from(sorted(members)))
    content = members[name]
    kind = data.draw(
        st.sampled_from(("layer", "layer", "layer", "damage", "pickle", "bomb", "add"))
    )
    if kind == "layer" and name == "pipeline.json":
        return {**members, name: changed_schema(data, content)}
    if kind == "layer" and name == "artifact.json":
        return {**members, name: changed_schema(data, content)}
    if kind == "layer" and name.endswith(".npy"):
        return {**members, name: changed_array(data, content)}
    if kind == "pickle":
        return {**members, name: data.draw(st.sampled_from(PICKLES))}
    if kind == "bomb":
        filling = data.draw(st.sampled_from((b"\n", b"[", b'"",', b"\0", b"[],", b"{},")))
        # Just within the limit, and far beyond it.
        size = data.draw(st.sampled_from((LIMIT - 100_000, LIMIT * 2)))
        return {**members, name: (b"[" + filling * (size // len(filling)))[:size]}
    if kind == "add":
        other = data.draw(st.sampled_from(("../evil.py", "/etc/passwd", "a.pkl", "array-99.npy")))
        return {**members, other: content}
    return {**members, name: damaged(data, content)}


OUTCOMES: Counter[str] = Counter()
WATCHING = False


@contextmanager
def watching() -> Iterator[None]:
    """Let `watch` observe what the process does inside the context."""
    global WATCHING  # An audit hook cannot be removed.
    WATCHING = True
    try:
        yield
    finally:
        WATCHING = False


@settings(
    max_examples=int(sys.argv[2]),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def try_one(data: st.DataObject) -> None:
    """Read an artifact with a mutation, and predict with it if it is accepted."""
    number = data.draw(st.integers(0, len(ARTIFACTS) - 1))
    if data.draw(st.integers(0, 4)):
        content = zipped(changed_member(data, MEMBERS[number]))
    else:
        content = damaged(data, ARTIFACTS[number])
    Path(sys.argv[1]).write_bytes(content)  # kept if this one crashes the process
    try:
        with watching():
            model = load_sklearn_model(content, LIMIT)
    except ArtifactError as exc:
        assert len(str(exc)) > 20
        assert not isinstance(exc.__cause__, MemoryError)
        OUTCOMES["refused"] += 1
        return
    OUTCOMES["accepted"] += 1
    inputs = PIPELINES[number][1]
    for method in ("predict", "decision_function", "predict_proba"):
        # Changed numbers predict nonsense, and arrays may not fit each other.
        with suppress(Exception), watching():
            getattr(model.pipeline, method)(inputs)


def try_bombs() -> None:
    """Read artifacts with a member as large as a Lambda allows, whose content grows in memory."""
    limit = Settings("bucket", "name").max_artifact_bytes
    for filling in (b"\n", b"a\n", b"[", b'"",', b"\0", b"[],", b"{},", b"1.,"):
        for name in ("artifact.json", "pipeline.json", "array-1.npy", "vocabulary-0.txt"):
            assert name in MEMBERS[0]
            bomb = b"[" + filling * ((limit - 100_000) // len(filling))
            content = zipped({**MEMBERS[0], name: bomb})
            del bomb
            try:
                load_sklearn_model(content, limit)
            except ArtifactError as exc:
                assert not isinstance(exc.__cause__, MemoryError)
            else:  # A single term may have any length.
                assert name == "vocabulary-0.txt"
                assert b"\n" not in filling


def watch(event: str, _: tuple[object, ...]) -> None:
    """End the process if an artifact causes an event that it never may."""
    if WATCHING and event.startswith(FORBIDDEN):
        print(f"an artifact caused {event}", file=sys.stderr)
        faulthandler.dump_traceback()
        raise SystemExit(3)


def main() -> None:
    """Try as many as the second argument says; the first is a path for the last one tried."""
    faulthandler.enable()
    warnings.simplefilter("ignore")
    # scikit-learn imports some of its modules on their first use. Writing their bytecode renames a
    # file, which would look like the doing of an artifact.
    sys.dont_write_bytecode = True
    for artifact, (pipeline, inputs) in zip(ARTIFACTS, PIPELINES, strict=True):
        read = load_sklearn_model(artifact, LIMIT)
        assert np.array_equal(read.pipeline.predict(inputs), pipeline.predict(inputs))
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + GIGABYTE, taken + GIGABYTE))
    sys.addaudithook(watch)
    try_bombs()
    try_one()
    print(json.dumps(OUTCOMES))


if __name__ == "__main__":
    main()

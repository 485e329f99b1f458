"""Reads thousands of artifacts that somebody has tampered with; `test_mutations.py` runs it.

It runs in its own process, so that the test can observe a crash, a hang, or a gigabyte of memory.
Every mutation is valid in the layers above the one that it changes: a changed schema or array is
zipped again with a correct checksum.
"""

import argparse
import faulthandler
import functools
import io
import json
import pickle
import re
import resource
import struct
import sys
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

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
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - offers IterativeImputer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC

from sklearn_api.calibration import Sigmoid
from sklearn_api.errors import ArtifactError
from sklearn_api.load import load_sklearn_model
from sklearn_api.settings import Settings
from tests.helpers.stored import stored

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
GAPS = np.where(ROWS > 1.0, np.nan, ROWS)

FILLINGS: tuple[bytes, ...] = (b"\n", b"a\n", b"[", b'"",', b"\0", b"[],", b"{},", b"1.,")
PICKLES = [pickle.dumps(print), pickle.dumps(LinearSVC()), pickle.dumps(np.array([print]))]


class Member(NamedTuple):
    """The content of a zip's member, deflated once for all the zips that contain it."""

    deflated: bytes
    size: int
    crc: int


class Subject(NamedTuple):
    """A fitted pipeline, inputs for it, and its artifact."""

    pipeline: Any
    inputs: Any
    artifact: bytes
    contents: dict[str, bytes]
    members: dict[str, Member]


def subjects(part: slice) -> list[Subject]:
    """Fit a part of the fifteen pipelines, and write their artifacts."""
    sparse = make_pipeline(TfidfVectorizer(), LogisticRegression(C=9.0))
    columns = ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", OneHotEncoder(), [2])])
    imputers = ColumnTransformer(
        [
            ("a", IterativeImputer(max_iter=1, random_state=0), [0, 1, 2]),
            ("b", SimpleImputer(strategy="most_frequent"), [3]),
        ]
    )
    pipelines: list[tuple[Any, Any]] = [
        (make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)), TEXTS),
        (
            make_pipeline(CountVectorizer(min_df=2), CalibratedClassifierCV(LinearSVC(), cv=2)),
            TEXTS,
        ),
        (sparse, TEXTS),
        (make_pipeline(TfidfVectorizer(ngram_range=(1, 3)), LinearSVC(random_state=0)), TEXTS),
        (make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=0)), ROWS),
        (GradientBoostingClassifier(n_estimators=3, random_state=0), ROWS),
        (HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2), ROWS),
        (IsolationForest(n_estimators=3, random_state=0), ROWS),
        (KNeighborsClassifier(2, algorithm="kd_tree", leaf_size=3), ROWS),
        (make_pipeline(columns, LogisticRegression()), np.round(ROWS)),
        (make_pipeline(TfidfVectorizer(), SVC()), TEXTS),
        (KNeighborsClassifier(2, algorithm="brute"), ROWS),
        (make_pipeline(SplineTransformer(extrapolation="linear"), LogisticRegression()), ROWS),
        (
            make_pipeline(
                SplineTransformer(degree=2, extrapolation="periodic", sparse_output=True),
                LogisticRegression(),
            ),
            ROWS,
        ),
        (make_pipeline(imputers, LogisticRegression()), GAPS.astype(object)),
    ]
    found = []
    for pipeline, inputs in pipelines[part]:
        pipeline.fit(inputs, LABELS)
        if pipeline is sparse:
            sparse[-1].sparsify()
        calibration = Sigmoid(2.0, 0.5) if pipeline is pipelines[0][0] else None
        artifact = stored(pipeline, calibration).content
        with zipfile.ZipFile(io.BytesIO(artifact)) as source:
            contents = {name: source.read(name) for name in source.namelist()}
        members = {name: deflate(content) for name, content in contents.items()}
        found.append(Subject(pipeline, inputs, artifact, contents, members))
    return found


def deflate(content: bytes) -> Member:
    """Return a member with the given content."""
    compressor = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    deflated = compressor.compress(content) + compressor.flush()
    return Member(deflated, len(content), zlib.crc32(content))


@functools.cache
def bomb(filling: bytes, size: int) -> Member:
    """Return a member of ``[`` and fillings, up to `size` bytes; it is never in memory whole."""
    piece = filling * (2**20 // len(filling))
    count = (size - 1) // len(piece)
    rest = filling * ((size - 1 - count * len(piece)) // len(filling))
    compressor = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)

    def block(content: bytes) -> bytes:
        # After a full flush nothing refers to what came before: equal pieces give equal blocks.
        return compressor.compress(content) + compressor.flush(zlib.Z_FULL_FLUSH)

    deflated = block(b"[") + block(piece) * count + compressor.compress(rest) + compressor.flush()
    crc = zlib.crc32(b"[")
    for part in [*[piece] * count, rest]:
        crc = zlib.crc32(part, crc)
    return Member(deflated, 1 + count * len(piece) + len(rest), crc)


def zipped(members: Mapping[str, Member]) -> bytes:
    """Return a zip; see PKWARE's APPNOTE.TXT, sections 4.3.7 to 4.3.16, for its structure."""
    content, directory = io.BytesIO(), io.BytesIO()
    for name, (deflated, size, crc) in members.items():
        fields = struct.pack("<5H3I2H", 20, 0, 8, 0, 33, crc, len(deflated), size, len(name), 0)
        location = struct.pack("<3H2I", 0, 0, 0, 0, content.tell())
        directory.write(b"PK\1\2\x14\0" + fields + location + name.encode())
        content.write(b"PK\3\4" + fields + name.encode() + deflated)
    count, size, start = len(members), directory.tell(), content.tell()
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, count, count, size, start, 0)
    return content.getvalue() + directory.getvalue() + end


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


def changed_schema(data: st.DataObject, content: bytes, files: list[str]) -> bytes:
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
                holder["file"] = data.draw(st.sampled_from(files))
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


def changed_members(data: st.DataObject, subject: Subject, files: list[str]) -> dict[str, Member]:
    """Return the members of an artifact, with one of them changed or added."""
    contents, members = subject.contents, subject.members
    name = data.draw(st.sampled_from(sorted(contents)))
    content = contents[name]
    kind = data.draw(
        st.sampled_from(("layer", "layer", "layer", "damage", "pickle", "bomb", "add"))
    )
    if kind == "layer" and name in ("pipeline.json", "artifact.json"):
        return {**members, name: deflate(changed_schema(data, content, files))}
    if kind == "layer" and name.endswith(".npy"):
        return {**members, name: deflate(changed_array(data, content))}
    if kind == "pickle":
        return {**members, name: deflate(data.draw(st.sampled_from(PICKLES)))}
    if kind == "bomb":
        filling = data.draw(st.sampled_from((b"\n", b"[", b'"",', b"\0", b"[],", b"{},")))
        # Just within the limit, and far beyond it.
        size = data.draw(st.sampled_from((LIMIT - 100_000, LIMIT * 2)))
        return {**members, name: bomb(filling, size)}
    if kind == "add":
        other = data.draw(st.sampled_from(("../evil.py", "/etc/passwd", "a.pkl", "array-99.npy")))
        return {**members, other: members[name]}
    return {**members, name: deflate(damaged(data, content))}


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


def try_mutations(found: list[Subject], last: Path, examples: int) -> Counter[str]:
    """Read artifacts with mutations, and predict with those that are accepted.

    Parameters
    ----------
    found : list of Subject
        What to change.
    last : Path
        A file for the artifact that is tried, in case it crashes the process.
    examples : int
        How many to try.

    Returns
    -------
    Counter
        How many were refused, and how many accepted.
    """
    outcomes: Counter[str] = Counter()
    files = sorted(found[0].members)

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def try_one(data: st.DataObject) -> None:
        subject = found[data.draw(st.integers(0, len(found) - 1))]
        if data.draw(st.integers(0, 4)):
            content = zipped(changed_members(data, subject, files))
        else:
            content = damaged(data, subject.artifact)
        last.write_bytes(content)
        try:
            with watching():
                model = load_sklearn_model(content, LIMIT)
        except ArtifactError as exc:
            assert len(str(exc)) > 20
            assert not isinstance(exc.__cause__, MemoryError)
            outcomes["refused"] += 1
            return
        outcomes["accepted"] += 1
        for method in ("predict", "decision_function", "predict_proba"):
            # Changed numbers predict nonsense, and arrays may not fit each other.
            with suppress(Exception), watching():
                getattr(model.pipeline, method)(subject.inputs)

    try_one()
    return outcomes


def try_bombs(members: dict[str, Member], part: slice) -> None:
    """Read artifacts with a member as large as a Lambda allows, whose content grows in memory."""
    limit = Settings("bucket", "name").max_artifact_bytes
    for filling in FILLINGS[part]:
        large = bomb(filling, limit - 100_000)
        for name in ("artifact.json", "pipeline.json", "array-1.npy", "vocabulary-0.txt"):
            assert name in members
            try:
                load_sklearn_model(zipped({**members, name: large}), limit)
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
    """Run the program; see ``--help``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("last", type=Path, help="file for the artifact that is tried")
    parser.add_argument("examples", type=int, help="how many artifacts to try")
    parser.add_argument(
        "--half", type=int, choices=(0, 1), help="try only every other pipeline and bomb"
    )
    arguments = parser.parse_args()
    part = slice(None) if arguments.half is None else slice(arguments.half, None, 2)
    faulthandler.enable()
    warnings.simplefilter("ignore")
    # scikit-learn imports some of its modules on their first use. Writing their bytecode renames a
    # file, which would look like the doing of an artifact.
    sys.dont_write_bytecode = True
    found = subjects(part)
    for subject in found:
        read = load_sklearn_model(subject.artifact, LIMIT)
        expected = subject.pipeline.predict(subject.inputs)
        assert np.array_equal(read.pipeline.predict(subject.inputs), expected)
        load_sklearn_model(zipped(subject.members), LIMIT)  # `zipped` makes valid zips.
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + GIGABYTE, taken + GIGABYTE))
    sys.addaudithook(watch)
    try_bombs(found[0].members, part)
    print(json.dumps(try_mutations(found, arguments.last, arguments.examples)))


if __name__ == "__main__":
    main()

"""Compiles a fitted pipeline that is linear in counted terms, into the plan of a compiled model.

`sklearn_api.compiled.model` describes the plan. The plan shares arrays and vocabularies with the
scikit-learn form of the artifact where they are equal byte for byte, so that it adds little. A
pipeline is compiled only if all of its types are known here exactly; otherwise the reason says
which one is not.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sklearn_api.artifact.header import COMPILED
from sklearn_api.artifact.vocabulary import LINES
from sklearn_api.compiled.plan import NGRAMS
from sklearn_api.compiled.terms import EVERY
from training.artifact.members import encode_terms

_LINEAR = {
    "LinearSVC",
    "LogisticRegression",
    "LogisticRegressionCV",
    "PassiveAggressiveClassifier",
    "Perceptron",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "SGDClassifier",
}
_BAYES = {"BernoulliNB", "ComplementNB", "MultinomialNB"}
_LONGEST = 8  # the most words in a term that is stored as the numbers of its words
_NO_STEP = (None, "passthrough", "drop")


class NotCompiledError(Exception):
    """The pipeline has no compiled form; the message says why."""


def compile_pipeline(pipeline: Any, members: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the members that the compiled form adds to an artifact.

    Parameters
    ----------
    pipeline : estimator
        A fitted estimator.
    members : mapping
        The artifact's members so far; a member with the same content is reused.

    Raises
    ------
    NotCompiledError
        The pipeline is not linear in counted terms, or contains a type that is not known here.
    """
    return _Compiler(members).compile(pipeline)


class _Compiler:
    """Compiles a plan and its files.

    Parameters
    ----------
    members : mapping
        The artifact's members so far.
    """

    def __init__(self, members: Mapping[str, bytes]) -> None:
        self._names = {content: name for name, content in members.items()}
        self._added: dict[str, bytes] = {}

    def compile(self, pipeline: Any) -> dict[str, bytes]:
        steps = list(_steps(pipeline))
        if len(steps) < 2:
            raise NotCompiledError("it is not a pipeline of a vectorizer and a classifier")
        parts = list(self._parts(steps[0], [], 1.0))
        weighings = [self._weighing(step) for step in steps[1:-1]]
        signed = any(part["terms"].get("signed") or part["scale"] < 0 for part in parts)
        if signed and any(weighing["sublinear"] for weighing in weighings):
            raise NotCompiledError("it takes logarithms of counts that may be negative")
        columns = sum(part["columns"] for part in parts)
        plan = {
            "parts": parts,
            "weighings": weighings,
            "columns": columns,
            **self._classifier(steps[-1], columns),
        }
        self._added[COMPILED] = json.dumps(plan, separators=(",", ":")).encode()
        return self._added

    def _parts(self, step: Any, weighings: list[Any], scale: float) -> Iterator[dict[str, Any]]:
        """Yield the parts of a vectorizer, a union of vectorizers, or a pipeline in a union."""
        name = _type_name(step)
        if name == "FeatureUnion":
            if weighings:
                raise NotCompiledError("a nested FeatureUnion is followed by other steps")
            weights = step.transformer_weights or {}
            for key, inner in step.transformer_list:
                if inner == "passthrough":
                    raise NotCompiledError("a FeatureUnion passes texts through")
                if not (isinstance(inner, str) and inner == "drop"):
                    yield from self._parts(inner, [], scale * float(weights.get(key, 1.0)))
            return
        if name == "Pipeline":
            first, *others = _steps(step)
            yield from self._parts(first, [*others, *weighings], scale)
            return
        if name not in ("CountVectorizer", "TfidfVectorizer", "HashingVectorizer"):
            raise NotCompiledError(f"{name} is not a text vectorizer")
        yield self._part(name, step, weighings, scale)

    def _part(self, name: str, step: Any, others: list[Any], scale: float) -> dict[str, Any]:
        _check_vectorizer(step)
        if name == "HashingVectorizer":
            signed = bool(step.alternate_sign)
            columns, terms = step.n_features, {"kind": "hashed", "signed": signed}
            weighings = [{"sublinear": False, "idf": None, "norm": step.norm}]
        else:
            ngrams = step.analyzer == "word" and step.ngram_range[1] > 1
            columns, terms = len(step.vocabulary_), self._terms(step.vocabulary_, ngrams)
            weighings, signed = [], False
        if name == "TfidfVectorizer":
            weighings = [self._weighing(step._tfidf)]
        weighings += [self._weighing(other) for other in others]
        if signed and any(weighing["sublinear"] for weighing in weighings):
            raise NotCompiledError("it takes logarithms of counts that may be negative")
        stop_words = step.get_stop_words() if step.analyzer == "word" else None
        return {
            "columns": int(columns),
            "lowercase": bool(step.lowercase),
            "accents": step.strip_accents or None,
            "analyzer": step.analyzer,
            "pattern": step.token_pattern,
            "stop_words": None if stop_words is None else sorted(stop_words),
            "ngrams": [int(length) for length in step.ngram_range],
            "terms": terms,
            "binary": bool(step.binary),
            "weighings": weighings,
            "scale": scale,
        }

    def _terms(self, vocabulary: Mapping[str, int], ngrams: bool) -> dict[str, Any]:
        terms = sorted(vocabulary, key=vocabulary.__getitem__)
        if sorted(map(int, vocabulary.values())) != list(range(len(terms))):
            raise NotCompiledError("its vocabulary has gaps between columns")
        ending, content = encode_terms(terms)
        file = self._file(ending, content)
        # Terms in order are also in the order of their bytes in UTF-8.
        if ending != LINES or terms != sorted(terms):
            return {"kind": "listed", "file": file}
        return (self._ngrams(terms) if ngrams else None) or self._sorted(file, content)

    def _sorted(self, file: str, content: bytes) -> dict[str, Any]:
        import numpy as np

        breaks = np.flatnonzero(np.frombuffer(content, np.uint8) == 0x0A) + 1
        places = np.concatenate(([0], breaks))[::EVERY].astype("<u4")
        return {"kind": "sorted", "file": file, "places": self._file(".bin", places.tobytes())}

    def _ngrams(self, terms: Sequence[str]) -> dict[str, Any] | None:
        """Return the plan of terms as n-grams; None if they are too long or not sorted by words."""
        import numpy as np

        ngrams = [term.split(" ") for term in terms]
        longest = max(map(len, ngrams))
        if longest > _LONGEST or ngrams != sorted(ngrams):
            return None
        words = sorted({word for ngram in ngrams for word in ngram})
        numbers = {word: number for number, word in enumerate(words, 1)}
        size = 2 if len(words) < 2**16 else 4
        table = np.zeros((longest, len(ngrams)), f"<u{size}")
        for column, ngram in enumerate(ngrams):
            table[: len(ngram), column] = [numbers[word] for word in ngram]
        starts = np.searchsorted(table[0], np.arange(1, len(words) + 2)).astype("<u4")
        _, content = encode_terms(words)
        return {
            "kind": NGRAMS,
            "words": {**self._sorted(self._file(LINES, content), content), "columns": len(words)},
            "starts": self._file(".bin", starts.tobytes()),
            "bytes": size,
            "following": [self._file(".bin", row.tobytes()) for row in table[1:]],
        }

    def _weighing(self, step: Any) -> dict[str, Any]:
        if step in _NO_STEP:
            return {"sublinear": False, "idf": None, "norm": None}
        if _type_name(step) == "Normalizer" and step.norm in ("l1", "l2"):
            return {"sublinear": False, "idf": None, "norm": step.norm}
        if _type_name(step) != "TfidfTransformer":
            raise NotCompiledError(f"{_type_name(step)} is between vectorizer and classifier")
        idf = self._floats(step.idf_) if hasattr(step, "idf_") else None
        return {"sublinear": bool(step.sublinear_tf), "idf": idf, "norm": step.norm}

    def _classifier(self, step: Any, columns: int) -> dict[str, Any]:
        name = _type_name(step)
        threshold = getattr(step, "binarize", None) if name == "BernoulliNB" else None
        probability = None
        if name in _LINEAR:
            method, probability = "linear", _probability(name, step)
            scorers = [self._scorer(step, columns)]
        elif name in _BAYES:
            method = "bayes"
            scorers = [self._bayes(name, step, columns)]
        elif name == "CalibratedClassifierCV":
            method = "calibrated"
            scorers = [
                self._calibrated(one, step.classes_, columns)
                for one in step.calibrated_classifiers_
            ]
        else:
            raise NotCompiledError(f"{name} is not a linear classifier")
        return {
            "threshold": threshold,
            "scorers": scorers,
            "method": method,
            "probability": probability,
            "classes": _classes(step.classes_),
        }

    def _scorer(self, step: Any, columns: int) -> dict[str, Any]:
        import numpy as np

        if not isinstance(step.coef_, np.ndarray):
            raise NotCompiledError("its coefficients are a sparse matrix")
        return self._rows(np.atleast_2d(step.coef_), step.intercept_, columns, [])

    def _bayes(self, name: str, step: Any, columns: int) -> dict[str, Any]:
        import numpy as np

        rows, intercepts = step.feature_log_prob_, step.class_log_prior_
        if name == "ComplementNB":
            intercepts = np.zeros(len(rows))  # With more than one class, it ignores the priors.
        elif name == "BernoulliNB":
            absent = np.log(1 - np.exp(rows))
            rows, intercepts = rows - absent, intercepts + absent.sum(axis=1)
        return self._rows(rows, intercepts, columns, [])

    def _calibrated(self, step: Any, classes: Any, columns: int) -> dict[str, Any]:
        import numpy as np

        estimator = step.estimator
        if _type_name(estimator) == "FrozenEstimator":
            estimator = estimator.estimator
        if _type_name(estimator) not in _LINEAR:
            raise NotCompiledError(f"it calibrates {_type_name(estimator)}")
        if not np.array_equal(estimator.classes_, classes):
            raise NotCompiledError("not all of its calibrated estimators know all classes")
        sigmoids = []
        for calibrator in step.calibrators:
            if _type_name(calibrator) != "_SigmoidCalibration":
                raise NotCompiledError(f"its calibration is {_type_name(calibrator)}")
            sigmoids.append([-float(calibrator.a_), -float(calibrator.b_)])
        scorer = self._scorer(estimator, columns)
        return {**scorer, "sigmoids": sigmoids}

    def _rows(
        self, rows: Any, intercepts: Any, columns: int, sigmoids: list[Any]
    ) -> dict[str, Any]:
        import numpy as np

        if rows.shape[1] != columns:
            raise NotCompiledError("its classifier was fitted on a different number of columns")
        intercepts = np.broadcast_to(np.asarray(intercepts, float), (len(rows),)).tolist()
        return {
            "coefficients": self._floats(rows),
            "by_column": bool(rows.flags.f_contiguous and not rows.flags.c_contiguous),
            "intercepts": intercepts,
            "sigmoids": sigmoids,
        }

    def _floats(self, values: Any) -> str:
        import numpy as np

        values = np.asarray(values, "<f8")
        if not (values.flags.c_contiguous or values.flags.f_contiguous):
            values = np.ascontiguousarray(values)
        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=False)
        return self._file(".npy", buffer.getvalue())

    def _file(self, ending: str, content: bytes) -> str:
        """Return the name of the member with this content, which is stored only once."""
        if content not in self._names:
            name = f"compiled-{len(self._added)}{ending}"
            self._added[name] = content
            self._names[content] = name
        return self._names[content]


def _steps(pipeline: Any) -> Iterator[Any]:
    """Yield the steps of a pipeline, and of pipelines inside it, without those that do nothing."""
    if _type_name(pipeline) != "Pipeline":
        raise NotCompiledError(f"{_type_name(pipeline)} is not a pipeline")
    for _, step in pipeline.steps:
        if step is None or isinstance(step, str):
            continue
        if _type_name(step) == "Pipeline":
            yield from _steps(step)
        else:
            yield step


def _type_name(value: Any) -> str:
    """Return the name of a value's type, with its module unless it belongs to scikit-learn."""
    kind = type(value)
    if kind.__module__.split(".")[0] == "sklearn":
        return str(kind.__name__)
    return f"{kind.__module__}.{kind.__name__}"


def _check_vectorizer(step: Any) -> None:
    """Raise if a vectorizer has custom functions, or takes inputs other than strings."""
    import numpy as np

    if step.input != "content":
        raise NotCompiledError(f"it reads texts from a {step.input}")
    if callable(step.analyzer) or step.preprocessor is not None or callable(step.strip_accents):
        raise NotCompiledError("its vectorizer calls a custom function")
    if step.analyzer == "word" and step.tokenizer is not None:
        raise NotCompiledError("its vectorizer calls a custom tokenizer")
    if np.dtype(step.dtype) not in (np.dtype(np.float64), np.dtype(np.int64)):
        raise NotCompiledError(f"its vectorizer computes in {np.dtype(step.dtype)}")


def _probability(name: str, step: Any) -> str | None:
    """Return how the scores of a linear classifier become probabilities; None if they do not."""
    if name == "SGDClassifier":
        return {"log_loss": "expit", "modified_huber": "huber"}.get(step.loss)
    if not name.startswith("LogisticRegression"):
        return None
    ovr = step.solver == "liblinear" or getattr(step, "multi_class", None) == "ovr"
    return "expit" if ovr or len(step.classes_) == 2 else "softmax"


def _classes(classes: Any) -> Sequence[int | str]:
    """Return the labels of the classes as JSON values."""
    import numpy as np

    if not isinstance(classes, np.ndarray) or len(classes) < 2:
        raise NotCompiledError("it has fewer than two classes, or more than one output")
    labels = classes.tolist()
    if all(isinstance(label, str) for label in labels):
        return list(labels)
    if all(isinstance(label, (int, float)) and label == int(label) for label in labels):
        return [int(label) for label in labels]
    raise NotCompiledError("its labels are neither integers nor strings")

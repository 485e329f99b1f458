"""Modules that are imported at once and run on their first use."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from scripts.lib.project import ROOT


def run(code: str) -> str:
    """Run a program that may import the project's packages; return what it prints."""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


# Imports scikit-learn lazily, and then runs each program that it reads in a fork of itself.
FORKS = """
import json, os, sys, traceback
from sklearn_api.lazy_imports import lazy_imports
with lazy_imports():
    import sklearn.metrics, sklearn.svm
for line in sys.stdin:
    child = os.fork()
    if not child:
        try:
            exec(json.loads(line), {"sys": sys})
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""
HAS_NOT_RUN = """
assert "scipy.stats" in sys.modules
assert "scipy.stats._stats_py" not in sys.modules, "it has run"
"""


@pytest.fixture(scope="module")
def run_lazily(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], None]]:
    """Return a function that runs a program after scikit-learn has been imported lazily.

    Each program has a process of its own; the import, which takes a second, is made once.
    """
    errors = tmp_path_factory.mktemp("lazy-imports") / "errors.txt"
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, "-c", FORKS],
            cwd=ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # threads do not survive a fork
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        requests, answers = process.stdin, process.stdout

        def run(code: str) -> None:
            requests.write(json.dumps(code) + "\n")
            requests.flush()
            assert answers.readline() == "0\n", errors.read_text()

        yield run


def test_scikit_learn_is_imported_without_running_scipy_stats(
    run_lazily: Callable[[str], None],
) -> None:
    """`scipy.stats` has been imported but has not run, and neither has `numpy.f2py`."""
    run_lazily(
        HAS_NOT_RUN + 'assert not [name for name in sys.modules if name.startswith("numpy.f2py.")]'
    )


@pytest.mark.parametrize(
    "use",
    [
        "import scipy.stats; assert scipy.stats.norm.cdf(0) == 0.5",
        "from scipy.stats import norm; assert norm.cdf(0) == 0.5",
        "from scipy.stats import *; assert norm.cdf(0) == 0.5",
        "import scipy.stats; assert 'norm' in dir(scipy.stats)",
        "import scipy.stats.mstats as m; import scipy.stats; assert m is scipy.stats.mstats; "
        "assert m.__spec__.loader.name == m.__name__; assert m.gmean([2, 8]) == 4",
        "from scipy.stats._stats_py import rankdata; import scipy.stats; "
        "assert scipy.stats.rankdata is rankdata",
        "import importlib, scipy.stats as s; importlib.reload(s); assert s.norm.cdf(0) == 0.5",
        "import pydoc, scipy.stats; assert pydoc.locate('scipy.stats.norm').cdf(0) == 0.5",
    ],
)
def test_a_lazy_module_is_an_ordinary_one_once_it_is_used(
    run_lazily: Callable[[str], None], use: str
) -> None:
    """However a lazy module is first used, it behaves as if it had been imported normally."""
    run_lazily(HAS_NOT_RUN + use + '\nassert type(sys.modules["scipy.stats"]) is type(sys)')


def test_stand_ins_for_functions_work(run_lazily: Callable[[str], None]) -> None:
    """scikit-learn imports two functions of `scipy.stats` by name; calling one runs the module."""
    run_lazily(
        HAS_NOT_RUN
        + """
from sklearn.metrics import label_ranking_average_precision_score, roc_auc_score
assert "scipy.stats._stats_py" not in sys.modules
assert roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) == 0.75
assert label_ranking_average_precision_score([[1, 0, 0]], [[0.75, 0.5, 1]]) == 0.5
assert "scipy.stats._stats_py" in sys.modules
import scipy.stats, sklearn.metrics._ranking as ranking
assert list(ranking.rankdata([3, 1, 2], method="max")) == [3, 1, 2]
assert ranking.rankdata is not scipy.stats.rankdata
assert ranking.rankdata.__name__ == "rankdata"
"""
    )


def test_modules_that_have_run_are_left_alone() -> None:
    """Loaded modules, imports outside the context, and missing modules are as usual."""
    run(
        """
import sys, scipy.stats
norm = scipy.stats.norm
from sklearn_api.lazy_imports import lazy_imports
with lazy_imports():
    import scipy.stats, numpy
    assert scipy.stats.norm is norm
import numpy.f2py
assert type(numpy.f2py) is type(sys)
try:
    import numpy.no_such_module
except ModuleNotFoundError:
    pass
else:
    raise AssertionError
"""
    )


def test_all_trusted_modules_can_be_imported_lazily() -> None:
    """The modules of everything that a pipeline may contain can be imported within the context."""
    printed = run(
        """
import importlib, pathlib, sys, warnings
from sklearn_api.lazy_imports import lazy_imports
from sklearn_api.artifact.trusted import TYPES, FUNCTIONS
warnings.simplefilter("ignore")
names = sorted(TYPES | FUNCTIONS)
with lazy_imports():
    for name in names:
        module, _, attribute = name.rpartition(".")
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError:  # another version of scikit-learn has it
            continue
        getattr(found, attribute, None)
print(len(names))
"""
    )
    assert int(printed) > 200


def test_threads_wait_for_a_module_that_is_running(run_lazily: Callable[[str], None]) -> None:
    """While one thread runs a lazy module, others that use it wait until it has run."""
    run_lazily(
        HAS_NOT_RUN
        + """
import threading, scipy.stats
module, found = scipy.stats, []
threads = [threading.Thread(target=lambda: found.append(module.norm.cdf(0))) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert found == [0.5] * 8, found
"""
    )

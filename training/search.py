"""Compares variants of a recipe by cross-validation, on this machine or on a cluster."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np

# Only the module that distributes work: the rest of joblib can unpickle files, and a test forbids
# importing it.
from joblib.parallel import Parallel, delayed, parallel_config
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.model_selection import ParameterGrid, StratifiedKFold

from sklearn_api.signature import BINARY, MULTICLASS
from training.dataset import Dataset
from training.errors import TrainingError
from training.options import RecipeName, SearchBackend
from training.recipes.terms import TermModel
from training.recipes.texts import Recipe
from training.terminal import Terminal

FOLDS = 5
GRIDS: Mapping[str, Mapping[str, Sequence[Any]]] = {
    RecipeName.ARTICLE: {"longest": (1, 2), "min_df": (1, 2), "C": (0.3, 1.0, 3.0)},
    RecipeName.BEST: {
        "longest": (3, 4),
        "min_df": (2, 3),
        "smoothing": (1.0, 2.0),
        "C": (0.5, 1.0, 2.0),
    },
    RecipeName.CHARACTERS: {
        "longest": (2, 3, 4),
        "min_df": (1, 2),
        "smoothing": (1.0, 2.0),
        "C": (0.5, 1.0, 2.0),
    },
}
"""The values of each recipe's parameters; a search tries every combination."""

_COUNTING = ("longest", "min_df")  # the parameters that the counts depend on


@dataclass(frozen=True)
class Result:
    """The result of a search.

    Attributes
    ----------
    recipe : Recipe
        The variant with the highest mean accuracy; the first of them in the grid's order.
    accuracy : float
        Its mean accuracy over the folds.
    candidates : list of dict
        The parameters of each variant, with its mean `accuracy` and the standard `deviation` over
        the folds.
    """

    recipe: Recipe
    accuracy: float
    candidates: list[dict[str, Any]]


def search(
    recipe: Recipe,
    texts: Dataset,
    seed: int,
    terminal: Terminal,
    backend: str = SearchBackend.LOKY,
) -> Result:
    """Find the best variant of a recipe in its grid, by cross-validation in `FOLDS` folds.

    Parameters
    ----------
    recipe : Recipe
        A recipe with a grid in `GRIDS`.
    texts : Dataset
        Texts for the folds; none of them may be used to measure the resulting model.
    seed : int
        Seed of the folds and of the solver.
    terminal : Terminal
        Shows progress, and a line for each variant.
    backend : str
        A `SearchBackend`.

    Raises
    ------
    TrainingError
        The backend is not installed or cannot be reached, there are too few texts, or they have no
        classes.
    """
    if texts.task not in (BINARY, MULTICLASS):
        raise TrainingError(f"--search compares classifiers, and the task is {texts.task}")
    grid = GRIDS[recipe.name]
    labels = texts.targets
    if min(texts.class_counts().values()) < FOLDS:
        raise TrainingError(f"a search needs at least {FOLDS} texts of each class to fit on")
    folds = list(
        StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labels[:, None], labels)
    )
    countings = list(ParameterGrid({name: grid[name] for name in _COUNTING}))
    fittings = list(ParameterGrid({k: v for k, v in grid.items() if k not in _COUNTING}))
    variants: list[tuple[Recipe, NDArray[np.float64]]] = []
    total = len(countings) * len(fittings) * FOLDS
    with _joblib(backend), terminal.progress(f"Searching ({backend})", total) as advance:
        for counting in countings:
            counted = replace(recipe, **counting)
            try:
                counts, _ = counted.count(texts.rows)
            except ValueError as exc:
                raise TrainingError(f"no search is possible on {texts.source}: {exc}") from exc
            candidates = [replace(counted, **fitting) for fitting in fittings]
            accuracies = np.full((len(candidates), FOLDS), np.nan)
            tasks = (
                delayed(_fold)(
                    (number, fold), variant.estimator(seed), counts, labels, *folds[fold]
                )
                for number, variant in enumerate(candidates)
                for fold in range(FOLDS)
            )
            for (number, fold), accuracy in Parallel(n_jobs=-1, return_as="generator_unordered")(
                tasks
            ):
                row = accuracies[number]
                row[fold] = accuracy
                advance(1)
                if not np.isnan(row).any():
                    shown = ", ".join(
                        f"{name} {getattr(candidates[number], name)}" for name in grid
                    )
                    terminal.print_line(f"  {row.mean():.4f} ± {row.std():.4f}  {shown}")
            variants += zip(candidates, accuracies, strict=True)
    best, row = max(variants, key=lambda variant: variant[1].mean())
    return Result(
        best,
        round(float(row.mean()), 6),
        [
            {
                **{name: getattr(variant, name) for name in grid},
                "accuracy": round(float(row.mean()), 6),
                "deviation": round(float(row.std()), 6),
            }
            for variant, row in variants
        ],
    )


def _fold(
    index: tuple[int, int],
    estimator: TermModel,
    counts: csr_matrix,
    labels: NDArray[Any],
    fitted_on: NDArray[np.int64],
    measured_on: NDArray[np.int64],
) -> tuple[tuple[int, int], float]:
    """Fit on some rows; return the task's index, and the accuracy on other rows."""
    estimator.fit(counts[fitted_on], labels[fitted_on])
    correct = estimator.predict(counts[measured_on]) == labels[measured_on]
    return index, float(correct.mean())


@contextmanager
def _joblib(backend: str) -> Iterator[None]:
    """Make joblib use a backend.

    Dask's scheduler is the one at ``DASK_SCHEDULER_ADDRESS``. If that is not set, a cluster runs on
    this machine until the context ends.
    """
    with ExitStack() as stack:
        try:
            if backend == SearchBackend.DASK:
                from distributed import Client

                client = stack.enter_context(Client())
                # A scheduler without our code would drop the tasks, and joblib would wait forever.
                for run in (client.run_on_scheduler, client.run):
                    run(find_spec, __name__)
            stack.enter_context(parallel_config(backend))
        except ImportError as exc:
            raise TrainingError(
                f"--search-backend {backend} cannot be used ({exc}); install it in this Python "
                "environment, and start the cluster's scheduler and workers in this project's "
                "folder, with the same packages"
            ) from exc
        except OSError as exc:  # distributed raises it if the scheduler does not answer
            raise TrainingError(f"--search-backend {backend} cannot be reached: {exc}") from exc
        yield

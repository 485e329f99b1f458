"""Models of tables: encoded columns, and trees on them.

Trees need no scaling, do not mind skewed numbers, and take a gap for what it is. Each column of
words becomes a column of whole numbers; an unknown word becomes a gap, like a missing one. So a
model answers whatever a client sends or leaves out.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from sklearn_api.signature import REGRESSION
from training.options import TableRecipeName

Frame = Any
"""A pandas DataFrame; pandas ships no types."""

FEW_ROWS = 1000
"""With fewer rows a forest predicts better than boosting, which has too little to stop by."""

_DRAWN = 10_000
"""Of this many rows, one value is certain to be among those that quantiles are taken from."""


@dataclass(frozen=True)
class TableRecipe:
    """How columns become a model.

    Attributes
    ----------
    name : str
        A `TableRecipeName`.
    trees : int
        Number of trees of a forest; the most that boosting grows, for each class.
    min_samples_leaf : int
        Number of rows in the smallest leaf.
    max_leaf_nodes : int or None
        Number of leaves in the largest tree.
    learning_rate, l2_regularization : float or None
        Of boosting.
    """

    name: str
    trees: int
    min_samples_leaf: int
    max_leaf_nodes: int | None = None
    learning_rate: float | None = None
    l2_regularization: float | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """All fields but the name that the recipe has, for the manifest."""
        fields = asdict(self).items()
        return {key: value for key, value in fields if key != "name" and value is not None}

    def pipeline(self, rows: Frame, task: str, classes: int, seed: int) -> Pipeline:
        """Return an unfitted pipeline for rows like these.

        Parameters
        ----------
        rows : DataFrame
            Of strings, numbers and booleans, with NaN for gaps.
        task : str
            ``binary``, ``multiclass`` or ``regression``.
        classes : int
            Number of classes.
        seed : int
            Seed of the trees, and of the rows that boosting stops by.
        """
        # Boosting fails on a column without values, also if only the rows that it stops by have
        # any, or those of many rows from which it takes no quantiles.
        boosting = self.name == TableRecipeName.BOOSTING
        least = max(self.min_samples_leaf, len(rows) // _DRAWN) if boosting else 1
        used = [name for name in rows.columns if rows[name].count() >= least]
        if not used:
            raise ValueError(f"no column has values in {least} or more rows")
        words = [name for name in used if is_words(rows[name])]
        numbers = [name for name in used if name not in words]
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
        parts = (("words", encoder, words), ("numbers", "passthrough", numbers))
        columns = ColumnTransformer([part for part in parts if part[2]])
        grow = self._boosting if boosting else self._forest
        return Pipeline(
            [("columns", columns), ("trees", grow(len(rows), task, max(1, classes), seed))]
        )

    def _boosting(self, rows: int, task: str, classes: int, seed: int) -> Any:
        # What it stops by is a tenth of the rows, with each class among them.
        stops = rows >= 20 * classes
        parameters = {
            "learning_rate": self.learning_rate,
            "max_iter": self.trees if stops else 100,
            "max_leaf_nodes": self.max_leaf_nodes,
            "min_samples_leaf": self.min_samples_leaf,
            "l2_regularization": self.l2_regularization,
            "early_stopping": stops,
            "random_state": seed,
        }
        if task == REGRESSION:
            return HistGradientBoostingRegressor(**parameters)
        return HistGradientBoostingClassifier(**parameters)

    def _forest(self, rows: int, task: str, classes: int, seed: int) -> Any:
        kind = ExtraTreesRegressor if task == REGRESSION else ExtraTreesClassifier
        return kind(
            self.trees,
            min_samples_leaf=self.min_samples_leaf,
            max_leaf_nodes=self.max_leaf_nodes,
            random_state=seed,
        )


BOOSTING = TableRecipe(
    TableRecipeName.BOOSTING,
    trees=1000,
    min_samples_leaf=20,
    max_leaf_nodes=15,
    learning_rate=0.05,
    l2_regularization=5.0,
)
"""Gradient boosting over histograms, stopped where rows that were held out gain nothing."""

FOREST = TableRecipe(TableRecipeName.FOREST, trees=100, min_samples_leaf=3)
"""Extremely randomised trees."""

TABLE_RECIPES: Mapping[str, TableRecipe] = {one.name: one for one in (BOOSTING, FOREST)}


def default_recipe(rows: int) -> TableRecipe:
    """Return the recipe for a number of rows that it is fitted on."""
    return FOREST if rows < FEW_ROWS else BOOSTING


def is_words(series: Any) -> bool:
    """Return whether a column holds strings, and not numbers, booleans or nothing at all."""
    return any(isinstance(value, str) for value in series)

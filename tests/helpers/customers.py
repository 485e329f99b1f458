"""Made-up customers of a telephone company: a table with gaps, and what is to be predicted."""

import functools
from typing import Any

import numpy as np
import pandas as pd

NUMBERS = ["tenure", "charges", "calls", "senior"]
WORDS = ["plan", "region"]
TRAINED, HELD_OUT = slice(0, 90), slice(90, 130)


@functools.cache
def customers(size: int = 150, seed: int = 13) -> Any:
    """Return made-up customers: whole and broken numbers, booleans, words, texts, with gaps."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "plan": rng.choice(["basic", "plus", "pro"], size),
            "tenure": rng.integers(0, 72, size),
            "charges": rng.gamma(3, 20, size).round(2),
            "region": rng.choice(["north", "south", "east", "west"], size),
            "calls": rng.poisson(3, size).astype(float),
            "senior": rng.random(size) < 0.2,
            "note": [
                " ".join(rng.choice(["late", "bill", "happy", "slow"], 3)) for _ in range(size)
            ],
        }
    )
    frame.loc[rng.random(size) < 0.2, "charges"] = np.nan
    frame.loc[rng.random(size) < 0.2, "region"] = np.nan
    return frame


@functools.cache
def churned() -> Any:
    frame = customers()
    score = frame["tenure"] / 30 - frame["calls"] / 3 + (frame["plan"] == "pro")
    return (score + np.random.default_rng(1).normal(0, 0.5, len(frame)) > 0.5).to_numpy()


def classes() -> Any:
    frame = customers()
    return np.where(churned(), "stays", np.where(frame["calls"] > 3, "leaves", "waits"))


def prices() -> Any:
    frame = customers()
    return frame["tenure"].to_numpy() * 3.5 + (frame["plan"] == "pro").to_numpy() * 40 + 10.0


def categorical(frame: Any) -> Any:
    return frame.astype({"plan": "category", "region": "category"})

"""Made-up texts: tickets to a help desk, of three kinds."""

import functools
from typing import Any

import numpy as np

KINDS = {
    "billing": ("refund the invoice", "the receipt is wrong", "charged twice", "cancel my plan"),
    "access": ("cannot log in", "reset my password", "account is locked", "two-factor code fails"),
    "network": ("the wifi is slow", "no connection", "vpn drops", "packets get lost"),
}
_STARTS = ("please help,", "hello team,", "urgent:", "since monday", "again,", "as of today")
_ENDS = ("thank you", "regards", "any news?", "it is important", "waiting", "")


@functools.cache
def tickets(size: int = 150) -> tuple[list[str], list[str]]:
    """Return texts, and the kind of each."""
    random = np.random.default_rng(5)
    texts, kinds = [], []
    for _ in range(size):
        kind = str(random.choice([*KINDS]))
        texts.append(_text(random, [kind]))
        kinds.append(kind)
    return texts, kinds


@functools.cache
def tagged_tickets(size: int = 200) -> tuple[list[str], Any, list[str]]:
    """Return texts, the indicators of their kinds, any number of them, and the kinds."""
    random = np.random.default_rng(6)
    kinds = sorted(KINDS)
    applies = (random.random((size, len(kinds))) < 0.4).astype(int)
    texts = [
        _text(random, [kind for kind, one in zip(kinds, row, strict=True) if one])
        for row in applies
    ]
    return texts, applies, kinds


def priced_tickets(size: int = 150) -> tuple[list[str], Any]:
    """Return texts, and the minutes that each of them took."""
    texts, kinds = tickets(size)
    minutes = {"billing": 10.0, "access": 20.0, "network": 60.0}
    noise = np.random.default_rng(7).normal(0, 3, size)
    return texts, np.array([minutes[kind] for kind in kinds]) + noise


def _text(random: Any, kinds: list[str]) -> str:
    parts = [str(random.choice(KINDS[kind])) for kind in kinds]
    return f"{random.choice(_STARTS)} {', '.join(parts)} {random.choice(_ENDS)}".strip()

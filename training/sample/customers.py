"""Write customers.csv: made-up customers of a mobile network, and who of them left.

No real person is in it. README.md describes the columns and the rules. The same program makes the
same file::

    python training/sample/customers.py > training/sample/customers.csv
"""

import csv
import math
import random
import sys

ROWS = 1000
COLUMNS = (
    *("tenure", "plan", "contract", "monthly_charge", "data_gb", "support_calls"),
    *("autopay", "satisfaction", "region", "churned"),
)
PLANS = {"basic": 15.0, "plus": 30.0, "family": 55.0, "business": 70.0}
CONTRACTS = ("monthly", "yearly", "two years")
PULL = {"monthly": 1.4, "yearly": -0.7, "two years": -2.0}
REGIONS = ("north", "south", "east", "west")


def customer(random: random.Random) -> dict[str, object]:
    """Invent one customer; None is a gap."""
    plan = random.choices([*PLANS], (45, 30, 15, 10))[0]
    contract = random.choices(CONTRACTS, (55, 27, 18))[0]
    tenure = min(72, int(random.expovariate(1 / 22)))
    charge = round(PLANS[plan] * random.uniform(0.85, 1.35), 2)
    calls = _poisson(random, 1.3)
    autopay = random.random() < 0.55
    happy = 3.6 - 0.45 * calls + random.gauss(0, 0.9)
    satisfaction = max(1, min(5, round(happy)))
    leaning = (
        -1.5
        + PULL[contract]
        - 0.06 * min(tenure, 40)
        + 0.03 * (charge - 30)
        + 0.7 * calls
        - 0.6 * (satisfaction - 3)
        - 0.7 * autopay
        + 1.2 * (plan == "basic" and charge > 18)
    )
    leaves = random.random() < 1 / (1 + math.exp(-leaning))
    data_gb = round(random.lognormvariate(1.2, 0.8) + 0.08 * PLANS[plan], 1)
    return {
        "tenure": tenure,
        "plan": plan,
        "contract": contract,
        "monthly_charge": charge,
        # Plans of old have no meter.
        "data_gb": None if tenure > 50 and random.random() < 0.5 else data_gb,
        "support_calls": calls,
        "autopay": str(autopay).lower(),
        # Only some answer the survey, and those who are about to leave answer less often.
        "satisfaction": satisfaction if random.random() < (0.45 if leaves else 0.65) else None,
        "region": random.choice(REGIONS) if random.random() < 0.97 else None,
        "churned": "yes" if leaves else "no",
    }


def _poisson(random: random.Random, mean: float) -> int:
    """Draw from a Poisson distribution (Knuth's method)."""
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count


if __name__ == "__main__":
    seeded = random.Random(20260101)  # noqa: S311 - to be the same in every run, not to be secret
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(customer(seeded) for _ in range(ROWS))

"""The Python behind the launchers in ``scripts/``."""

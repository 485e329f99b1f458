"""The Python code that the launchers in ``scripts/`` run."""

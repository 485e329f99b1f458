"""The commands that a person types: one launcher for each; ``lib`` is what they run."""

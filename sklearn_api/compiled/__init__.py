"""Predicts in plain Python, for pipelines that are linear in their terms."""

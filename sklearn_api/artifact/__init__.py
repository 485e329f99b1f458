"""Reads an artifact and checks it; `training.artifact` writes what this reads."""

"""Reads and checks artifacts; `training.artifact` writes them."""

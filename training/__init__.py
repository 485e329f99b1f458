"""Train a model, measure it, and publish it: ``python -m training --help``."""

"""Builds the Lambda layer that holds scikit-learn."""

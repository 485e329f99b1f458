"""The build of the Lambda layer that holds scikit-learn."""

"""Checks of arrays that compiled code follows without looking: trees, neighbours, libsvm."""

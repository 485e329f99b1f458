"""Checks of arrays that compiled code follows unchecked: trees, neighbours, libsvm, splines."""

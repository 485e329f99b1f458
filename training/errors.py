"""The error of training: wrong data, a missing file, a stage that is not deployed."""


class TrainingError(Exception):
    """An error that the user can fix; one clear sentence: what failed, where, and what to do."""

"""What a person can mend: wrong data, a missing file, a stack that is not there."""


class TrainingError(Exception):
    """One clear sentence that says what, where, and what to do."""

"""The sections of a report. Each module has a function that yields the elements of its own."""

"""What a person types: one launcher for each task, and what is behind it in ``lib``."""

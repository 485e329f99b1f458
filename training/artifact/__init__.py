"""Writes an artifact and its manifest; `sklearn_api.artifact` reads what this writes."""

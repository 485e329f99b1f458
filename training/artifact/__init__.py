"""Writes artifacts and their manifests; `sklearn_api.artifact` reads them."""

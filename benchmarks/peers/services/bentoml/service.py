"""The BentoML service that serves the model."""

import os

import bentoml
import joblib


@bentoml.service
class Reviews:
    """Classifies reviews."""

    def __init__(self) -> None:
        self.pipeline = joblib.load(os.environ["MODEL"])

    @bentoml.api
    def review(self, review_text: str) -> dict[str, int]:
        """Classify one review."""
        return {"label": int(self.pipeline.predict([review_text])[0])}

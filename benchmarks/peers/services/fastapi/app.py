"""The FastAPI app that serves the model, as FastAPI's and scikit-learn's documentation suggest."""

import os

import joblib
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
pipeline = joblib.load(os.environ["MODEL"])


class Review(BaseModel):
    """A request's body."""

    review_text: str


@app.post("/review")
def review(body: Review) -> dict[str, int]:
    """Classify one review."""
    return {"label": int(pipeline.predict([body.review_text])[0])}

"""The model behind FastAPI, as its documentation and scikit-learn's suggest it."""

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

"""POST /review: predicts whether a film review is positive."""

from sklearn_api.prediction import prediction_endpoint

handler = prediction_endpoint(aliases={"movie_text": "review_text"})

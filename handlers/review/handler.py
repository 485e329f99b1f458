"""POST /review: predicts whether a film review is positive."""

from sklearn_api.prediction import prediction_endpoint
from sklearn_api.utils import convert_prediction

handler = prediction_endpoint(
    field="review_text", aliases=("movie_text",), convert=convert_prediction
)

"""POST /churn: predicts with the model `churn`."""

from sklearn_api.prediction import prediction_endpoint

handler = prediction_endpoint()

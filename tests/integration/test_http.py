"""The HTTP contract, through API Gateway, the Lambda process and the model in S3."""

import json

import pytest

from tests.helpers.waiting import wait_for
from tests.integration.deployed import Api, Deployment, Serve


def test_health(api: Api) -> None:
    """`GET /health` answers `healthy` as text to curl, requests and browsers."""
    answer = api.request("GET", "/health", accept="*/*")
    assert (answer.status, answer.text) == (200, "healthy")
    assert answer.headers["content-type"].startswith("text/plain")


def test_health_as_json_names_every_model(api: Api) -> None:
    """A client that prefers JSON gets the name, version and age of each model."""
    found = api.health()
    assert found["status"] == "healthy"
    assert list(found["models"]) == ["review", "churn"]
    for model in found["models"].values():
        assert 0 <= model["age_seconds"] < 3600
    served = api.review("fine").json()["model"]["version"]
    assert found["models"]["review"]["version"] == served


@pytest.mark.parametrize(
    ("review", "prediction", "label"),
    [("I love this movie", "Positive Review", 1), ("I hate this movie", "Negative Review", 0)],
)
def test_a_review_is_classified(api: Api, review: str, prediction: str, label: int) -> None:
    """`POST /review` answers with words, label, score and the version of the model."""
    answer = api.review(review)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert (found["prediction"], found["label"]) == (prediction, label)
    assert (found["score"] > 0) == bool(label)
    # A number if the model is calibrated, otherwise null.
    assert found["probability"] is None or 0 <= found["probability"] <= 1
    assert found["model"]["name"] == "review"
    assert found["model"]["version"]


def test_the_alias_and_plain_text(api: Api) -> None:
    """`movie_text` is accepted as well, and a client that prefers text gets the words alone."""
    body = json.dumps({"movie_text": "I hate this movie"}).encode()
    answer = api.request("POST", "/review", body, accept="text/plain")
    assert (answer.status, answer.text) == (200, "Negative Review")


def test_a_thousand_reviews_are_answered_at_once(api: Api) -> None:
    """As many instances as allowed fit into a request, and are answered in their order."""
    words = ["I love this movie", "I hate this movie", "a boring film"] * 333 + ["fine"]
    reviews = [f"{text} {'and so on ' * 90}" for text in words]
    body = json.dumps({"instances": [{"review_text": text} for text in reviews]}).encode()
    answer = api.request("POST", "/review", body)
    assert answer.status == 200
    found = answer.json()
    assert len(found["predictions"]) == 1000
    alone = api.review(reviews[1]).json()
    assert {**found["predictions"][1], "model": found["model"]} == alone
    assert [one["score"] for one in found["predictions"][:999]] == [
        one["score"] for one in found["predictions"][:3]
    ] * 333


def test_all_wrong_instances_are_listed(api: Api) -> None:
    """A problem about many instances names each by its position and field."""
    body = b'{"instances": [{}, {"review_text": "x"}, {"movie_text": 1}]}'
    problem = api.request("POST", "/review", body).json()
    assert [(one["instance"], one["field"]) for one in problem["errors"]] == [
        (0, "review_text"),
        (2, "movie_text"),
    ]


def test_unicode_arrives_unchanged(api: Api) -> None:
    """Text beyond ASCII gets the same prediction whether or not it is escaped."""
    plain = json.dumps({"review_text": "Une œuvre naïve, I love it 🎬"}, ensure_ascii=False)
    escaped = json.dumps({"review_text": "Une œuvre naïve, I love it 🎬"})
    answers = [
        api.request("POST", "/review", text.encode()).json()["score"] for text in (plain, escaped)
    ]
    assert answers[0] == answers[1]


def test_many_customers_are_answered_in_order(api: Api, serve: Serve) -> None:
    """`instances` are answered in the order asked, each as if it were asked alone."""
    example = serve("churn", "/churn").example
    instances = [{**example, "tenure": tenure} for tenure in (1, 70, None)]
    answer = api.post("/churn", {"instances": instances})
    assert answer.status == 200, answer.text
    alone = [api.post("/churn", instance).json() for instance in instances]
    assert [one.pop("model") for one in alone] == [answer.json()["model"]] * 3
    assert len({one["probability"] for one in alone}) == 3
    for found, expected in zip(answer.json()["predictions"], alone, strict=True):
        # A matrix product may round differently from that of one row.
        assert found["probabilities"] == pytest.approx(expected.pop("probabilities"))
        assert {name: found[name] for name in expected} == {
            name: pytest.approx(value) if isinstance(value, float) else value
            for name, value in expected.items()
        }


def test_a_log_line_names_its_model(api: Api, serve: Serve) -> None:
    """Each endpoint writes to a log of its own, and its lines carry the model's name."""
    churn = serve("churn", "/churn")
    answered = churn.post(churn.example).headers["x-request-id"]
    wait_for(lambda: answered in "".join(api.logs("churn")), "the line in the log")
    (line,) = (line for line in api.logs("churn") if answered in line)
    assert json.loads(line)["endpoint"] == "churn"
    assert answered not in "".join(api.logs("review"))


@pytest.mark.parametrize("path", ["/health", "/review", "/churn"])
@pytest.mark.parametrize("key", [None, "not-the-key"])
def test_requests_without_the_right_key_are_forbidden(api: Api, path: str, key: str | None) -> None:
    """A request without a key, or with a wrong one, gets 403."""
    method, body = ("GET", None) if path == "/health" else ("POST", b'{"review_text": "x"}')
    answer = api.request(method, path, body, key=key)
    assert answer.status == 403
    assert answer.json() == {"message": "Forbidden"}


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b"", 400, "body cannot be empty"),
        (b"  \n", 400, "body cannot be empty"),
        (b'{"review_text": "x"', 400, "not valid JSON"),
        (b"[1, 2]", 400, "JSON object"),
        (b"{}", 400, "'review_text' is missing"),
        (b'{"review_text": 5}', 400, "'review_text' must be a string"),
        (b'{"review_text": null}', 400, "'review_text' must be a string"),
        (b'{"review_text": " "}', 400, "'review_text' cannot be empty"),
        (b'{"review_text": "\xff\xfe"}', 400, "not UTF-8"),
        (b'{"review_text": "\\ud800"}', 400, "Unicode"),
        (b"[" * 60_000, 400, "not valid JSON"),
        (b'{"review_text": "' + b"x" * 1_100_000 + b'"}', 413, "1,048,576 bytes"),
        (b'{"review_text": "x", "stars": 5}', 400, "it has 'review_text'"),
        (b'{"review_text": "x", "review_text": "y"}', 400, "two fields with the same name"),
        (b'{"instances": []}', 400, "a list of one or more objects"),
        (b'{"instances": [{"review_text": "x"}, {}]}', 400, "instance 1: the field"),
    ],
    ids=[
        *("empty", "blank", "cut-off", "array", "missing-field", "number", "null", "blank-field"),
        *("not-utf-8", "surrogate", "deep", "too-large", "unknown-field", "twice", "no-instances"),
        "wrong-instance",
    ],
)
def test_bad_input_gets_problem_details(api: Api, body: bytes, status: int, detail: str) -> None:
    """Every fault of a body gets problem details that name it and the request's id."""
    answer = api.request("POST", "/review", body)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert detail in problem["detail"]
    assert problem["request_id"]


def test_another_media_type_is_refused(api: Api) -> None:
    """A body that is declared as anything but JSON gets 415, with the media type to send."""
    for media_type in ("text/csv", "application/x-www-form-urlencoded"):
        answer = api.request("POST", "/review", b"review_text=x", content_type=media_type)
        assert answer.status == 415
        assert "Content-Type: application/json" in answer.json()["detail"]


def test_json_that_curl_declares_as_a_form_is_read(api: Api) -> None:
    """`curl -d '{…}'` declares JSON as a form; it is still read as JSON."""
    answer = api.request(
        "POST",
        "/review",
        b'{"review_text": "I love this movie"}',
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.json()["prediction"] == "Positive Review"


def test_an_unknown_route_is_not_found(api: Api) -> None:
    """A path or method that is not declared does not reach a function."""
    assert api.request("GET", "/review").status in (403, 404)
    assert api.request("GET", "/nothing").status in (403, 404)


def test_logs_name_the_request_and_never_its_text(api: Api) -> None:
    """A log line holds the request's id and the model's version, and no word of the review."""
    answers = [
        api.review("Zyxomma is an unforgettable name"),
        api.request("POST", "/review", b'{"review_text": ["Zyxomma"]}'),
        api.request("POST", "/review", b'{"Zyxomma": 1'),
    ]
    ids = [answer.headers["x-request-id"] for answer in answers]
    wait_for(lambda: all(one in "".join(api.logs("review")) for one in ids), "the lines in the log")
    lines = api.logs("review")
    version = answers[0].json()["model"]["version"]
    assert any(ids[0] in line and version in line for line in lines)
    assert not [line for line in lines if "zyxomma" in line.lower()]
    for part in ("START RequestId", "END RequestId", "REPORT RequestId", "Max Memory Used"):
        assert any(part in line for line in lines)


def test_functions_run_as_processes(shared_deployment: Deployment) -> None:
    """The emulator reports that it runs Lambdas as processes."""
    assert shared_deployment.emulator.executor == "process"

"""Settings from environment variables."""

import pytest

from sklearn_api.errors import SettingsError
from sklearn_api.settings import Settings

NEEDED = {"MODEL_BUCKET": "bucket", "MODEL_NAME": "review"}


def test_bucket_and_name_are_enough() -> None:
    """The bucket and the name must be set; everything else has a default."""
    assert Settings.from_environ(NEEDED) == Settings("bucket", "review")


def test_everything_can_be_set() -> None:
    """Each setting is read from its variable."""
    found = Settings.from_environ(
        {
            **NEEDED,
            "MODEL_REFRESH_SECONDS": "0.5",
            "MAX_BODY_BYTES": "10",
            "MAX_INSTANCES": "15",
            "MAX_ARTIFACT_BYTES": "20",
            "LOG_LEVEL": "ERROR",
            "SCIKIT_LEARN_VERSION": "1.9.1",
            "MODEL_FORM": "compiled",
        }
    )
    assert found == Settings("bucket", "review", 0.5, 10, 15, 20, "ERROR", "1.9.1", "compiled")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODEL_BUCKET", ""),
        ("MODEL_NAME", " "),
        ("MODEL_REFRESH_SECONDS", "soon"),
        ("MODEL_REFRESH_SECONDS", "-1"),
        ("MODEL_REFRESH_SECONDS", "nan"),
        ("MODEL_REFRESH_SECONDS", "inf"),
        ("MAX_BODY_BYTES", "0"),
        ("MAX_BODY_BYTES", "1.5"),
        ("MAX_BODY_BYTES", "٣"),
        ("MAX_INSTANCES", "many"),
        ("MAX_ARTIFACT_BYTES", "-5"),
        ("LOG_LEVEL", "loud"),
        ("MODEL_FORM", "fast"),
    ],
)
def test_an_invalid_value_is_an_error_that_names_the_setting(name: str, value: str) -> None:
    """An invalid value is never silently replaced by a default."""
    with pytest.raises(SettingsError, match=name):
        Settings.from_environ({**NEEDED, name: value})


def test_health_has_a_list_of_models_instead_of_one() -> None:
    """With MODEL_NAMES, MODEL_NAME is not needed; an empty list is one without models."""
    for value, names in (("review,churn", ("review", "churn")), ("review", ("review",)), ("", ())):
        found = Settings.from_environ({"MODEL_BUCKET": "bucket", "MODEL_NAMES": value})
        assert (found.model_name, found.model_names) == ("", names)

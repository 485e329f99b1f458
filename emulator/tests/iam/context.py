"""The caller and the condition keys that the tests of policies decide on; no LocalStack."""

from localstack_parity.iam.patterns import Context

ROLE = "arn:aws:iam::123456789012:role/app"
SESSION = "arn:aws:sts::123456789012:assumed-role/app/f"
CONTEXT = Context(
    {
        "aws:currenttime": "2026-11-24T12:00:00Z",
        "aws:epochtime": "1795521600",
        "aws:principalarn": ROLE,
        "aws:securetransport": "true",
        "aws:sourceip": "10.1.2.3",
        "aws:username": None,
        "aws:userid": "AROA:f",
        "aws:principaltag/team": "*",
        "s3:max-keys": "10",
        "s3:prefix": "models/a",
        "s3:delimiter": None,
    },
    families=("aws:principaltag/",),
)

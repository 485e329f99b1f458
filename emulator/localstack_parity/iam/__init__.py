"""IAM: calls with a role's credentials are checked against the policies that apply to them.

A call passes through the modules in this order:

- ``enforce``     the handler in LocalStack's chain: whom it checks, what a refused caller gets
- ``principals``  whose credentials these are, and which policies the role has
- ``buckets``     whose bucket it is, and its policy
- ``actions``     which actions on which resources the call is (``s3`` for S3)
- ``context``     the values of the condition keys
- ``policy``      the decision (``conditions``, ``patterns`` and ``answers`` are its parts)

The last line knows nothing of LocalStack.
"""

from collections.abc import Mapping

VARIABLE = "IAM_ENFORCE"


def enforced(environment: Mapping[str, str]) -> bool:
    """Return whether policies are enforced: ``IAM_ENFORCE`` is ``on`` (default) or ``off``.

    Raises
    ------
    ValueError
        If the variable holds anything else.
    """
    value = environment.get(VARIABLE, "on")
    if value not in ("on", "off"):
        raise ValueError(f"{VARIABLE} is {value!r}; it must be on (the default) or off")
    return value == "on"

"""IAM: check calls made with a role's credentials against the policies that apply to them.

A call passes through these modules, in this order:

- ``enforce``     the handler in LocalStack's chain: which calls are checked, how they are refused
- ``principals``  whose credentials signed the call, and which policies that role has
- ``actions``     which actions on which resources the call needs (``s3`` for those of S3)
- ``context``     the values of the condition keys
- ``buckets``     which account owns a bucket, and the bucket's policy
- ``decision``    decides: an explicit deny wins, then every required kind of policy must allow
- ``policy``      reads policies and matches one statement against a request
- ``conditions``  evaluates the ``Condition`` element of a statement
- ``patterns``    wildcards and policy variables
- ``answers``     yes, no or unclear: the logic of all matching

From ``decision`` on, nothing depends on LocalStack.
"""

from collections.abc import Mapping

VARIABLE = "IAM_ENFORCE"


def enforced(environment: Mapping[str, str]) -> bool:
    """Return whether policies are enforced: ``IAM_ENFORCE`` is ``on`` (the default) or ``off``.

    Raises
    ------
    ValueError
        If the variable has any other value.
    """
    value = environment.get(VARIABLE, "on")
    if value not in ("on", "off"):
        raise ValueError(f"{VARIABLE} is {value!r}; it must be on (the default) or off")
    return value == "on"

"""The role session whose credentials signed a request, and the role's policies."""

from dataclasses import dataclass

from localstack.services.sts.models import sts_stores
from moto.iam.models import ManagedPolicy, Role, iam_backends
from moto.sts.models import AssumedRole, sts_backends

from localstack_parity.iam.policy import Policy, Principal, parse, unreadable

# Prefixes of LocalStack's temporary access keys: ASIA if PARITY_AWS_ACCESS_KEY_ID=1 is set.
TEMPORARY = ("LSIA", "ASIA")


@dataclass(frozen=True)
class Session:
    """A session of an existing role."""

    assumed: AssumedRole
    role: Role

    @property
    def principal(self) -> Principal:
        """The session as a principal of policies."""
        return Principal(self.assumed.account_id, str(self.role.arn), self.assumed.arn)

    @property
    def user_id(self) -> str:
        """The value of the condition key ``aws:userid``."""
        return f"{self.role.id}:{self.assumed.session_name}"

    def tags(self) -> dict[str, str]:
        """Return the tags of the role and the session; the session's take precedence."""
        store = sts_stores[self.assumed.account_id]["us-east-1"]
        config = store.sessions.get(self.assumed.access_key_id)
        tags = [*(self.role.tags or []), *(config["tags"].values() if config else ())]
        return {tag["Key"].lower(): tag["Value"] for tag in tags}

    def identity_policies(self) -> list[Policy]:
        """Return the role's policies, inline and managed."""
        inline = [
            parse(f'inline policy "{name}"', document)
            for name, document in list(self.role.policies.items())  # another thread may change them
        ]
        return inline + [_managed(policy) for policy in list(self.role.managed_policies.values())]

    def boundary(self) -> Policy | None:
        """Return the role's permissions boundary, or None."""
        arn = self.role.permissions_boundary_arn
        if not arn:
            return None
        backend = iam_backends[self.assumed.account_id][self.assumed.partition]
        policy = backend.managed_policies.get(arn)
        return _managed(policy) if policy else unreadable(arn, "no such permissions boundary")

    def session_policy(self) -> Policy | None:
        """Return the policy that was passed to AssumeRole, or None."""
        document = self.assumed.policy
        return parse("the session's policy", document) if document else None


def _managed(policy: ManagedPolicy) -> Policy:
    for version in policy.versions:
        if version.version_id == policy.default_version_id:
            return parse(policy.arn, version.document)
    return unreadable(policy.arn, f"its default version {policy.default_version_id} does not exist")


_sessions: dict[str, AssumedRole] = {}


def assumed_role(access_key_id: str, account: str, partition: str) -> AssumedRole | None:
    """Return the session that an access key belongs to, or None; its role may not exist."""
    found = _sessions.get(access_key_id)
    if found is None:
        backend = sts_backends[account][partition]
        found = backend.get_assumed_role_from_access_key(access_key_id)
        if found is not None:
            _sessions[access_key_id] = found
    return found


def session_of(assumed: AssumedRole) -> Session | None:
    """Return the session with its role, or None if the role does not exist."""
    backend = iam_backends[assumed.account_id][assumed.partition]
    for role in list(backend.get_roles()):
        if role.arn == assumed.role_arn:
            return Session(assumed, role)
    return None

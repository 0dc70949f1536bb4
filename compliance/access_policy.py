"""Who may do what, by role: house policy as data (``policies/access.yaml``), read once per process.

Some things no house may set otherwise; a table that does is refused when the process starts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

from compliance import library
from compliance.engine.errors import LawError
from compliance.engine.strict import Node, read_file
from compliance.models import Role

FILE = "access.yaml"


class Capability(StrEnum):
    """What can be allowed. Each is asked for by name; a role that does not list it is refused."""

    REPORT = "report"
    READ = "read"
    HANDLE = "handle"
    DECIDE = "decide"
    EXPORT = "export"
    REDACT = "redact"
    PRIVILEGED = "privileged"
    KEEP = "keep"
    RESTRICT = "restrict"
    BREAK_GLASS = "break_glass"
    CONFIGURE = "configure"


CHANGES = frozenset(
    {
        Capability.REPORT,
        Capability.HANDLE,
        Capability.DECIDE,
        Capability.REDACT,
        Capability.KEEP,
        Capability.RESTRICT,
        Capability.CONFIGURE,
    }
)
# What a role may have at most, whatever the house writes.
AT_MOST = {
    Role.ADMINISTRATOR: frozenset({Capability.CONFIGURE, Capability.REPORT}),
    Role.AUDITOR: frozenset(Capability) - CHANGES,
    Role.REPORTER: frozenset({Capability.REPORT}),
}


# What can ask again who it is.
CONFIRMED = frozenset({"people", "entities", "tokens", "break_glass", "approve"})


@dataclass(frozen=True, slots=True)
class SignInPolicy:
    """``second_factor``: roles that need one; ``confirm``: what asks again who it is after ``confirm_after``."""

    second_factor: frozenset[str]
    confirm: frozenset[str]
    confirm_after: timedelta


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """The table and the terms of restricted incidents and invitations. ``fallback``: roles, the first held counts."""

    roles: Mapping[str, frozenset[Capability]]
    not_inherited: frozenset[Capability]
    glass_for: timedelta
    glass_reason: int
    fallback: tuple[str, ...]
    invitation_for: timedelta
    sign_in: SignInPolicy

    def roles_with(self, *capabilities: Capability) -> frozenset[str]:
        """The roles that have any of ``capabilities``."""
        return frozenset(role for role, held in self.roles.items() if held & set(capabilities))


@cache
def get_access_policy() -> AccessPolicy:
    """The validated table.

    Raises:
        compliance.engine.LawError: the file is wrong; the process must not start.
    """
    # A house with ladders of its own need not have a table of its own.
    folder = library.POLICIES if (library.POLICIES / FILE).exists() else library.HERE / "policies"
    return read_access_policy(folder)


def read_access_policy(folder: Path) -> AccessPolicy:
    """The table in ``folder``.

    Raises:
        compliance.engine.LawError: unreadable, an unknown word, or a role with more than it may ever have.
    """
    node = read_file(folder / FILE, root=folder)
    node.mapping(required={"roles", "not_inherited", "break_glass", "restricted", "invitation", "sign_in"})
    roles = node.at("roles").mapping(required=set(Role.values))
    glass = node.at("break_glass").mapping(required={"hours", "least_characters"})
    restricted = node.at("restricted").mapping(required={"fallback"})
    invitation = node.at("invitation").mapping(required={"hours"})
    return AccessPolicy(
        roles={role: _held(role, item) for role, item in roles.entries()},
        not_inherited=frozenset(_capability(item) for item in node.at("not_inherited").items()),
        glass_for=timedelta(hours=glass.at("hours").integer(least=1)),
        glass_reason=glass.at("least_characters").integer(least=5),
        fallback=tuple(item.one_of(set(Role.values)) for item in restricted.at("fallback").items(least=1)),
        invitation_for=timedelta(hours=invitation.at("hours").integer(least=1)),
        sign_in=_sign_in(node.at("sign_in")),
    )


def _sign_in(node: Node) -> SignInPolicy:
    node.mapping(required={"second_factor", "confirm", "confirm_minutes"})
    return SignInPolicy(
        second_factor=frozenset(item.one_of(set(Role.values)) for item in node.at("second_factor").items()),
        confirm=frozenset(item.one_of(CONFIRMED) for item in node.at("confirm").items()),
        confirm_after=timedelta(minutes=node.at("confirm_minutes").integer(least=1)),
    )


def _capability(node: Node) -> Capability:
    return Capability(node.one_of({item.value for item in Capability}))


def _held(role: str, node: Node) -> frozenset[Capability]:
    held = frozenset(_capability(item) for item in node.items())
    excess = held - AT_MOST.get(Role(role), held)
    if excess:
        raise LawError(node.file, node.key, f"{', '.join(sorted(excess))}: expected nothing that {role} may never do")
    if Capability.DECIDE in held and not {Capability.HANDLE, Capability.READ} <= held:
        raise LawError(node.file, node.key, f"{role} decides: expected read and handle as well")
    return held

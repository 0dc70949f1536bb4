"""Who may see and do what. Pages, commands and services ask here; nothing else decides. docs/access.md explains it.

The table of roles is data (``compliance/policies/access.yaml``).
"""

from compliance.access_policy import Capability, get_access_policy
from incidents.access.checks import (
    may_break_glass,
    may_configure,
    may_decide,
    may_decide_alone,
    may_export,
    may_handle,
    may_keep,
    may_keep_calendars,
    may_read,
    may_redact,
    may_restrict,
    may_see_privileged,
    require_configure,
    require_decide,
    require_handle,
    require_keep_calendars,
    require_redact,
    require_report,
    require_restrict,
)
from incidents.access.declared import Decision, decides, decision_of
from incidents.access.rights import Right, allowed, forget, places, remembering, rights_of, roles_in, through
from incidents.access.sight import (
    channel_entities,
    configurable_entities,
    deciding_roles,
    handling_roles,
    reportable_entities,
    visible_entities,
    visible_incidents,
)
from incidents.access.tokens import limited, scopes_of

__all__ = [
    "Capability",
    "Decision",
    "Right",
    "allowed",
    "channel_entities",
    "configurable_entities",
    "decides",
    "deciding_roles",
    "decision_of",
    "forget",
    "get_access_policy",
    "handling_roles",
    "limited",
    "may_break_glass",
    "may_configure",
    "may_decide",
    "may_decide_alone",
    "may_export",
    "may_handle",
    "may_keep",
    "may_keep_calendars",
    "may_read",
    "may_redact",
    "may_restrict",
    "may_see_privileged",
    "places",
    "remembering",
    "reportable_entities",
    "require_configure",
    "require_decide",
    "require_handle",
    "require_keep_calendars",
    "require_redact",
    "require_report",
    "require_restrict",
    "rights_of",
    "roles_in",
    "scopes_of",
    "through",
    "visible_entities",
    "visible_incidents",
]

"""One function per change of state: lock the incident, check, change, schedule, write the journal, in one transaction."""

from incidents.services.assessment import assessment_of, library_of, reassess
from incidents.services.classification import classification_adopt, classification_propose, proposal_json
from incidents.services.evidence import evidence_add, evidence_lose, evidence_preserve
from incidents.services.facts import (
    candidate_adopt,
    fact_record,
    fact_retract,
    fact_seen,
    facts_record,
    people_list_record,
    people_record,
    systems_add,
)
from incidents.services.law import (
    day_off_add,
    law_accept,
    law_behind,
    law_preview,
    rule_decide,
)
from incidents.services.lifecycle import (
    dismissal_decide,
    dismissal_request,
    incident_assign,
    incident_begin_assessment,
    incident_close,
    incident_confirm,
    incident_reopen,
    incident_report,
)
from incidents.services.obligations import (
    escalation_acknowledge,
    excuse_decide,
    excuse_request,
    is_late,
    late_reason_record,
    obligation_meet,
    obligation_reopen,
)
from incidents.services.preview import answers_preview, facts_preview, people_preview
from incidents.services.redaction import fact_redact

__all__ = [
    "answers_preview",
    "assessment_of",
    "candidate_adopt",
    "classification_adopt",
    "classification_propose",
    "day_off_add",
    "dismissal_decide",
    "dismissal_request",
    "escalation_acknowledge",
    "evidence_add",
    "evidence_lose",
    "evidence_preserve",
    "excuse_decide",
    "excuse_request",
    "fact_record",
    "fact_redact",
    "fact_retract",
    "fact_seen",
    "facts_preview",
    "facts_record",
    "incident_assign",
    "incident_begin_assessment",
    "incident_close",
    "incident_confirm",
    "incident_reopen",
    "incident_report",
    "is_late",
    "late_reason_record",
    "law_accept",
    "law_behind",
    "law_preview",
    "library_of",
    "obligation_meet",
    "obligation_reopen",
    "people_list_record",
    "people_preview",
    "people_record",
    "proposal_json",
    "reassess",
    "rule_decide",
    "systems_add",
]
